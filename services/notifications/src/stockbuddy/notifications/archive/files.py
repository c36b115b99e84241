"""Writes and reads the files of the archive: the lines of an export with `format=chain`, compressed with gzip."""

import gzip
import hashlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from stockbuddy.notifications.archive.errors import ArchiveFailed
from stockbuddy.notifications.audit.chain_links import ChainState
from stockbuddy.notifications.audit.export import from_chain_line
from stockbuddy.notifications.event_log.archive_queries import ChainStart


async def write_lines(path: Path, batches: AsyncIterator[Sequence[str]]) -> None:
    """The file has this name once it is complete and stored; it replaces one that an interrupted command has left.
    Raises OSError."""
    unfinished = path.with_name(f"{path.name}.part")
    with unfinished.open("wb") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as compressed:
            async for lines in batches:
                compressed.write("".join(f"{line}\n" for line in lines).encode())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def verify_file(path: Path, start: ChainStart) -> ChainStart:
    """The last entry of the file, all of whose entries follow from `start` and from each other. Raises ArchiveFailed,
    OSError."""
    chain, position, audited = ChainState(start.hash), start.position, start.audited
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            link = from_chain_line(line)
            position += 1
            if link.entry.position != position or not chain.follow(link):
                raise ArchiveFailed(f"Entry {position} is missing or was altered: GET /api/v1/audit-logs/verify.")
            audited += link.entry.audited
    return ChainStart(position, chain.hash or start.hash, audited)


def digest_file(path: Path) -> str:
    """SHA-256 in hex, as `sha256sum` prints it."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
