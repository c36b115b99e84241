"""What a release consists of: wheels, images and the workflow that builds them."""

import hashlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import yaml

PROGRAMS = ("auth", "catalog", "stock", "notifications", "gateway")


def test_wheels_contain_code_and_data_only(release: Path) -> None:
    names = [name for wheel in release.glob("*.whl") for name in zipfile.ZipFile(wheel).namelist()]
    for part in ("auth", "catalog", "stock", "notifications"):
        assert f"stockbuddy/{part}/migrations/env.py" in names
        assert f"stockbuddy/{part}/openapi.json" in names
    assert not [name for name in names if "/tests/" in name or "node_modules" in name or name.endswith(".pyc")]
    for line in (release / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        assert hashlib.sha256((release / name).read_bytes()).hexdigest() == digest


def test_system_requires_what_the_lock_pins(release: Path, root: Path) -> None:
    [wheel] = release.glob("stockbuddy-*.whl")
    [metadata] = [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("/METADATA")]
    text = zipfile.ZipFile(wheel).read(metadata).decode()
    required = set(re.findall(r"^Requires-Dist: ([^ ;\n]+==[^ ;\n]+)", text, re.MULTILINE))
    pinned = set(re.findall(r"^([a-z0-9][^ =]*==[^ ;\\]+)", (root / "requirements.lock").read_text(), re.MULTILINE))
    version = re.findall(r"^Version: (.+)$", text, re.MULTILINE)[0]
    ours = {f"stockbuddy-{one}=={version}" for one in PROGRAMS}
    assert pinned | ours <= required


def test_release_overlay_sets_every_image_by_digest(root: Path, tmp_path: Path) -> None:
    program = [sys.executable, "deploy/write_release_overlay.py"]
    folders = []
    for number, service in enumerate((*PROGRAMS, "pgbouncer")):
        folders.append(tmp_path / f"digest-{service}")
        folders[-1].mkdir()
        image = f"registry.example/shop/stockbuddy-{service}@sha256:{number:064x}\n"
        (folders[-1] / service).write_text(image, encoding="utf-8")
    complete = subprocess.run([*program, *map(str, folders)], cwd=root, check=True, capture_output=True, text=True)
    images = yaml.safe_load(complete.stdout)["images"]
    used = yaml.safe_load((root / "deploy/kubernetes/kustomization.yaml").read_text())["images"]
    assert [image["name"] for image in images] == [*(image["name"] for image in used), "stockbuddy/pgbouncer"]
    assert images[2] == {
        "name": "stockbuddy/stock",
        "newName": "registry.example/shop/stockbuddy-stock",
        "digest": f"sha256:{2:064x}",
    }
    partial = subprocess.run([*program, *map(str, folders[1:])], check=False, cwd=root, capture_output=True, text=True)
    assert (partial.returncode, partial.stdout) == (1, "")
    assert "auth" in partial.stderr


def test_workflows_run_what_exists(root: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    for file in (root / ".github/workflows").iterdir():
        jobs = yaml.safe_load(file.read_text())["jobs"]
        steps = [step.get("run", "") for job in jobs.values() for step in job["steps"]]
        commands = "\n".join(steps)
        used = [name for line in re.findall(r"^make (.+)$", commands, re.MULTILINE) for name in line.split()]
        assert set(used) <= targets, file.name
        for script in re.findall(r"\bdeploy/[\w/]+\.py\b", commands):
            assert (root / script).exists(), file.name
        assert all(need in jobs for job in jobs.values() for need in [job.get("needs", [])] if isinstance(need, str))


def test_release_builds_every_image(root: Path) -> None:
    matrix = yaml.safe_load((root / ".github/workflows/release.yml").read_text())["jobs"]["images"]["strategy"][
        "matrix"
    ]
    built = {root / file for file in matrix["file"]} | {root / image["file"] for image in matrix["include"]}
    assert built == set((root / "deploy").rglob("Dockerfile"))


def test_image_is_tagged_with_the_version_after_it_was_scanned_and_signed(root: Path) -> None:
    steps = yaml.safe_load((root / ".github/workflows/release.yml").read_text())["jobs"]["images"]["steps"]
    texts = [str(step) for step in steps]
    [build, scan, sign, tag] = [
        next(number for number, text in enumerate(texts) if part in text)
        for part in ("push-by-digest=true", "trivy-action", "cosign sign", "imagetools create")
    ]
    assert build < scan < sign < tag
    assert "${GITHUB_REF_NAME#v}" in texts[tag], "as docs/releasing.md says, without v"


def test_updates_are_proposed_for_every_image_and_package(root: Path) -> None:
    updates = yaml.safe_load((root / ".github/dependabot.yml").read_text())["updates"]
    watched = {
        (update["package-ecosystem"], folder.strip("/"))
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    for file in (root / "deploy").rglob("Dockerfile"):
        assert ("docker", str(file.parent.relative_to(root))) in watched
    for file in (root / "console/package.json", *(root / "clients").glob("*/package.json")):
        assert ("npm", str(file.parent.relative_to(root))) in watched
