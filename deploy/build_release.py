"""Builds a release into build/release: a wheel of every member, of the client library, and checksums.

`python -m deploy.build_release`. The wheel `stockbuddy` is the embedded system with the command line; it requires what
requirements.lock pins, so that `pipx install stockbuddy` installs what was tested. What members find beside their
sources in the repository (migrations, pages of the guide, the web console) is inside their wheels.
"""

import hashlib
import os
import re
import shutil
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.build_console import BUILD, ROOT, BuildFailed, build, locked, run

RELEASE = BUILD / "release"
STAGED = BUILD / "release.sources"
SYSTEM, CLIENT = "deploy/embedded", "clients/python"
"""The member whose wheel is named `stockbuddy`, and the client with the command line that runs it."""
SCRIPT = "stockbuddy_client.cli.__main__:main"
INSIDE: Mapping[str, Mapping[str, str]] = {
    "services/auth": {"services/auth/migrations": "auth/migrations"},
    "services/catalog": {"services/catalog/migrations": "catalog/migrations"},
    "services/stock": {"services/stock/migrations": "stock/migrations"},
    "services/notifications": {"services/notifications/migrations": "notifications/migrations"},
    "gateway": {"docs": "gateway/guide/docs"},
    SYSTEM: {"build/console/site": "embedded/console/site"},
}
"""Folders by their place in the package, by member."""
IGNORED = ("__pycache__", "*.egg-info", ".DS_Store", "adr", "how-to", "lint", "*.txt")
_OURS = re.compile(r"(stockbuddy-[a-z-]+)(.*)")
_PINNED = re.compile(r"^([a-z0-9][^ =]*==[^ ;\\]+)( *; *[^\\]*)?", re.MULTILINE)


def main() -> int:
    try:
        with locked():
            build(with_checks=False)
            build_wheels()
    except BuildFailed as error:
        print(f"The release could not be built: {error}.", file=sys.stderr)
        return 1
    print(f"Built in {RELEASE.relative_to(ROOT)}:", *sorted(file.name for file in RELEASE.iterdir()), sep="\n  ")
    return 0


def build_wheels() -> None:
    shutil.rmtree(RELEASE, ignore_errors=True)
    options = ["--quiet", "--no-build-isolation", "--python", sys.executable, "--wheel", "--out-dir", str(RELEASE)]
    uv = Path(sys.executable).with_name("uv")
    shutil.rmtree(STAGED, ignore_errors=True)
    for member in [*members(), CLIENT]:
        folder = STAGED / member
        stage(member, folder)
        run([uv, "build", *options, str(folder)], ROOT, SOURCE_DATE_EPOCH=os.environ.get("SOURCE_DATE_EPOCH", "0"))
    shutil.rmtree(STAGED)
    (RELEASE / ".gitignore").unlink(missing_ok=True)
    shutil.copy(ROOT / "requirements.lock", RELEASE)
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}" for file in sorted(RELEASE.iterdir())]
    (RELEASE / "SHA256SUMS").write_text("\n".join([*lines, ""]), encoding="utf-8")


def members() -> list[str]:
    workspace = _read(ROOT / "pyproject.toml")["tool"]["uv"]["workspace"]
    folders = [folder for pattern in workspace["members"] for folder in sorted(ROOT.glob(pattern))]
    return [str(folder.relative_to(ROOT)) for folder in folders if (folder / "pyproject.toml").exists()]


def stage(member: str, folder: Path) -> None:
    """Copy what belongs in the member's wheel."""
    ignored = shutil.ignore_patterns(*IGNORED)
    shutil.copytree(ROOT / member / "src", folder / "src", ignore=ignored)
    shutil.copy(ROOT / member / "README.md", folder)
    for source, target in INSIDE.get(member, {}).items():
        shutil.copytree(ROOT / source, folder / "src" / "stockbuddy" / target, ignore=ignored)
    text = (ROOT / member / "pyproject.toml").read_text(encoding="utf-8")
    (folder / "pyproject.toml").write_text(_released(text, is_system=member == SYSTEM), encoding="utf-8")


def _released(text: str, *, is_system: bool) -> str:
    """The pyproject.toml with the exact versions of the other members; of the system, of everything."""
    project = tomllib.loads(text)["project"]
    version = project["version"]
    for requirement in project["dependencies"]:
        if match := _OURS.fullmatch(requirement):
            text = text.replace(f'"{requirement}"', f'"{match[1]}{match[2]}=={version}"')
    if is_system:
        pinned = "".join(f'    "{line}",\n' for line in [f"stockbuddy-client[cli]=={version}", *_pins()])
        text = text.replace('name = "stockbuddy-embedded"', 'name = "stockbuddy"')
        text = text.replace("dependencies = [\n", f"dependencies = [\n{pinned}", 1)
        text = text.replace("[build-system]", f'[project.scripts]\nstockbuddy = "{SCRIPT}"\n\n[build-system]')
    return text


def _pins() -> Iterator[str]:
    """What requirements.lock pins, without the hashes."""
    for match in _PINNED.finditer((ROOT / "requirements.lock").read_text(encoding="utf-8")):
        yield (match[1] + (match[2] or "")).strip().replace('"', "'")


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
