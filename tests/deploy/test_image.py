"""The Dockerfile copies what a service is made of, and .dockerignore lets that through and little else."""

import re
import tomllib
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def dockerfile(root: Path) -> str:
    return (root / "deploy/Dockerfile").read_text()


def test_every_member_that_can_be_an_image_or_a_part_of_one_is_copied(root: Path, dockerfile: str) -> None:
    members = {path.parent.relative_to(root).as_posix() for path in root.glob("*/*/pyproject.toml")} | {"gateway"}
    copied = set(re.findall(r"^COPY (\S+)/pyproject\.toml ", dockerfile, re.MULTILINE))
    assert copied == members - {"deploy/embedded"}
    for member in copied:
        assert tomllib.loads((root / member / "pyproject.toml").read_text())["project"]["name"].startswith(
            "stockbuddy-"
        )


def test_it_runs_as_nobody_in_particular_and_gets_its_signals_itself(dockerfile: str) -> None:
    last_stage = dockerfile[dockerfile.rindex("\nFROM ") :]
    assert re.search(r"^USER \d+:\d+$", last_stage, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT \["stockbuddy"\]$', last_stage, re.MULTILINE), "no shell between"
    assert re.search(r"^HEALTHCHECK .* CMD \[", last_stage, re.MULTILINE)
    assert "PIP_INDEX_URL" not in last_stage


def test_tests_and_private_files_stay_outside(root: Path) -> None:
    rules = [line for line in (root / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        *("requirements.lock", "deploy/healthcheck.py", "libs", "services", "gateway")
    }
    assert "**/tests" in rules


def test_what_is_copied_asks_for_no_metadata_of_ours(root: Path) -> None:
    """An image has our code on its path, and our packages are not installed there."""
    sources = [path for member in ("libs", "services", "gateway") for path in (root / member).glob("**/src/**/*.py")]
    asking = [path for path in sources if re.search(r"""\bversion\(["']stockbuddy""", path.read_text())]
    assert sources
    assert not asking
