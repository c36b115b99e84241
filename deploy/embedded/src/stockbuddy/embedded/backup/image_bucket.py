"""The images in a bucket of S3, copied one at a time, so that memory does not grow with their number."""

from collections.abc import Iterator
from contextlib import contextmanager

import obstore

from stockbuddy.catalog.file_store import NOT_FOUND_ERRORS, STORE_ERRORS, open_store
from stockbuddy.embedded.backup.errors import BackupFailed
from stockbuddy.embedded.backup.settings import BackupSettings


class ImageBucket:
    """Names are relative to the prefix of the address."""

    def __init__(self, settings: BackupSettings) -> None:
        self._address = settings.image_store
        self._store = open_store(settings)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Name and content. Images never change; one that is deleted meanwhile is skipped. Raises BackupFailed."""
        with self._describing_errors():
            for page in obstore.list(self._store):
                for listed in page:
                    try:
                        content = bytes(obstore.get(self._store, listed["path"]).bytes())
                    except NOT_FOUND_ERRORS:
                        continue
                    yield listed["path"], content

    def write(self, name: str, content: bytes) -> None:
        """Raises BackupFailed."""
        with self._describing_errors():
            obstore.put(self._store, name, content)

    @contextmanager
    def _describing_errors(self) -> Iterator[None]:
        try:
            yield
        except STORE_ERRORS as error:
            raise BackupFailed(f"The images in {self._address} are not available: {error}") from None
