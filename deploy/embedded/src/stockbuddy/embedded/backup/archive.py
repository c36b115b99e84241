"""The content of a backup: a tar stream of the manifest, secrets, images, and the dump in pieces, in this order.

The dump is last, so that a restore commits it after everything else is in place. Its size is unknown while it is
written, hence the pieces.
"""

import io
import os
import tarfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, BinaryIO

from pydantic import ValidationError

from stockbuddy.embedded.backup.encryption import DAMAGED
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.manifest import Manifest

MANIFEST = "manifest.json"
SECRETS = "secrets/"
IMAGES = "images/"
DUMP = "database/"
PIECE_BYTES = 4 << 20


class ArchiveWriter:
    """Writes to a stream that can't seek."""

    def __init__(self, stream: BinaryIO) -> None:
        self._tar = tarfile.TarFile.open(fileobj=stream, mode="w|", format=tarfile.PAX_FORMAT)

    def close(self) -> None:
        self._tar.close()

    def abandon(self) -> None:
        """Write nothing more: tarfile's stream would otherwise write its end when it is collected."""
        setattr(self._tar.fileobj, "closed", True)  # noqa: B010 (absent in the type stubs)

    def add_manifest(self, manifest: Manifest) -> None:
        self._add(MANIFEST, manifest.model_dump_json(indent=1).encode())

    def add_secret(self, name: str, content: bytes) -> None:
        self._add(SECRETS + name, content)

    def add_images(self, directory: Path) -> None:
        """Images are immutable files; one that is deleted meanwhile is skipped, because its product's row, too, is
        about to change."""
        for folder, folders, names in os.walk(directory):
            folders.sort()
            for name in sorted(names):
                path = Path(folder, name)
                try:
                    content = path.read_bytes()
                except FileNotFoundError:
                    continue
                self._add(IMAGES + path.relative_to(directory).as_posix(), content)

    def add_image(self, name: str, content: bytes) -> None:
        self._add(IMAGES + name, content)

    def add_dump(self, dump: IO[bytes]) -> None:
        for number, piece in enumerate(iter(lambda: dump.read(PIECE_BYTES), b"")):
            self._add(f"{DUMP}{number:08}", piece)

    def _add(self, name: str, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = len(content), 0o600, int(time.time())
        self._tar.addfile(member, io.BytesIO(content))
        _forget_members(self._tar)


class ArchiveReader:
    """Reads the members in their order: the manifest at once, then those of `entries`."""

    def __init__(self, stream: BinaryIO) -> None:
        try:
            self._tar = tarfile.TarFile.open(fileobj=stream, mode="r|")
            self._members = self._read_members()
            name, content = next(self._members)
            self.manifest = Manifest.model_validate_json(content)
        except (tarfile.TarError, StopIteration, ValidationError):
            raise BackupFailed(DAMAGED) from None
        if name != MANIFEST:
            raise BackupFailed(DAMAGED)

    def entries(self) -> Iterable[tuple[str, bytes]]:
        """Name and content of the other members; pieces of the dump in their order."""
        try:
            yield from self._members
        except tarfile.TarError:
            raise BackupFailed(DAMAGED) from None

    def _read_members(self) -> Iterator[tuple[str, bytes]]:
        for member in self._tar:
            content = self._tar.extractfile(member)
            if content is None or member.name.startswith("/") or ".." in Path(member.name).parts:
                raise BackupFailed(DAMAGED)
            yield member.name, content.read()
            _forget_members(self._tar)


def _forget_members(tar: tarfile.TarFile) -> None:
    """tarfile keeps the header of every member otherwise, a kilobyte for each image."""
    tar.members.clear()  # type: ignore[attr-defined]  # documented for this purpose, absent in the type stubs
