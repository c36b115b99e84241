"""The image: unprivileged user, signals, and a build context without tests and private files."""

import re
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    return (root / "deploy/Dockerfile").read_text()


def test_image_runs_as_unprivileged_user_and_receives_signals(dockerfile: str) -> None:
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["stockbuddy"\]$', last_stage, re.MULTILINE), "a shell would not forward signals"
    assert re.search(r"^HEALTHCHECK .* CMD \[", last_stage, re.MULTILINE)
    assert "PIP_INDEX_URL" not in last_stage


def test_build_context_excludes_tests_and_private_files(root: Path) -> None:
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        *("requirements.lock", "deploy/healthcheck.py", "libs", "services", "gateway")
    }
    assert "**/tests" in rules


def test_copied_code_reads_no_package_metadata(root: Path) -> None:
    """The code is on the path of the image; the members are not installed."""
    sources = [path for member in ("libs", "services", "gateway") for path in (root / member).glob("**/src/**/*.py")]
    readers = [path for path in sources if re.search(r"""\bversion\(["']stockbuddy""", path.read_text())]
    assert sources
    assert not readers
