"""Data directories of hot standbys that stream from a local PostgreSQL."""

from __future__ import annotations

import subprocess
from pathlib import Path

from stockbuddy.local_servers.postgres import MAJOR_VERSION, LocalPostgres
from stockbuddy.local_servers.postgres_programs import LocalPostgresError, account_for, find_programs


def create_standby(primary: LocalPostgres, data_directory: Path) -> None:
    """Copy the running primary into a new directory; `LocalPostgres.start` then starts the standby. The primary's
    account must be able to reach both directories. Raises LocalPostgresError."""
    cluster = data_directory.absolute() / MAJOR_VERSION
    account = account_for(cluster)
    cluster.mkdir(mode=0o700, parents=True)
    account.own(cluster)
    target = account.path_of_own_folder(cluster)
    result = subprocess.run(
        [
            find_programs(account) / "pg_basebackup",
            *("--pgdata", target, "--dbname", primary.url, "--checkpoint", "fast"),
            *("--wal-method", "stream", "--write-recovery-conf", "--no-password", "--no-sync"),
        ],
        cwd=cluster,
        env={"LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        **account.credentials,
    )
    if result.returncode != 0:
        raise LocalPostgresError(f"pg_basebackup failed in {data_directory}:\n{result.stdout}{result.stderr}")
