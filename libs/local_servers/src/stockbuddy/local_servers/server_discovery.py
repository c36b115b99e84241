"""Finds the private PostgreSQL that another process runs in a data directory."""

from pathlib import Path
from urllib.parse import quote

from stockbuddy.local_servers.postgres import MAJOR_VERSION

_PORT_LINE, _SOCKET_LINE, _STATUS_LINE = 3, 4, 7
"""Lines of `postmaster.pid`, from 0."""


def find_running_url(data_directory: Path) -> str | None:
    """The superuser's URL of the server, or None if none accepts connections there."""
    cluster = data_directory.absolute() / MAJOR_VERSION
    try:
        lines = [line.strip() for line in (cluster / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return None
    if len(lines) <= _STATUS_LINE or lines[_STATUS_LINE] != "ready":
        return None
    folder = cluster if lines[_SOCKET_LINE] in (".", "/proc/self/cwd") else Path(lines[_SOCKET_LINE])
    if not (folder / f".s.PGSQL.{lines[_PORT_LINE]}").exists():
        return None  # left by a run that was killed
    return f"postgresql://postgres@/postgres?host={quote(str(folder), safe='/')}&port={lines[_PORT_LINE]}"
