"""`make audit` finds a secret that a later commit deleted, and reports what it could not check."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "ghp_" + "a1B2" * 9
"""Composed, so that this file contains no token."""


GIT = shutil.which("git") or "git"


def commit(repository: Path, name: str, content: str) -> None:
    path = repository / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(content)
    author = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    for arguments in (("add", name), (*author, "commit", "--quiet", "--message", "test: change a file")):
        subprocess.run([GIT, "-C", repository, *arguments], check=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    subprocess.run([GIT, "init", "--quiet", tmp_path], check=True)
    return tmp_path


def audit(root: Path, repository: Path) -> subprocess.CompletedProcess[str]:
    script = root / "deploy/audit/history_secrets.py"
    return subprocess.run([sys.executable, script], cwd=repository, capture_output=True, text=True, check=False)


def test_deleted_secret_is_found_in_the_history_and_not_printed(root: Path, repository: Path) -> None:
    commit(repository, "tests/settings.env", f"TOKEN={TOKEN}\n")
    commit(repository, "tests/settings.env", "TOKEN=\n")
    result = audit(root, repository)
    assert result.returncode == 1
    assert "GitHub Token in tests/settings.env of commit" in result.stdout
    assert TOKEN not in result.stdout + result.stderr


def test_invented_passwords_in_urls_of_tests_are_no_findings(root: Path, repository: Path) -> None:
    url = "postgresql://ann:" + "invented-word@db/shop\n"
    commit(repository, "tests/urls.txt", url)
    assert audit(root, repository).returncode == 0
    commit(repository, "urls.txt", url)
    assert "Basic Auth Credentials in urls.txt" in audit(root, repository).stdout
