"""Where files lie: a directory, or any S3-compatible store, by setting. A name is written once and never changed."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from stockbuddy.catalog.errors import StoreAway
from stockbuddy.catalog.settings import CatalogSettings

STORE_SECONDS = 10


class FileStore:
    """Files by name, as `images/42/…/original`."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def write(self, name: str, content: bytes) -> None:
        try:
            await obstore.put_async(self._store, name, content)
        except (OSError, BaseError) as error:
            raise StoreAway() from error

    async def read(self, name: str) -> AsyncIterator[bytes] | None:
        """The file in pieces, or None when there is none of that name."""
        try:
            found = await obstore.get_async(self._store, name)
        except (NotFoundError, FileNotFoundError):
            return None
        except (OSError, BaseError) as error:
            raise StoreAway() from error
        return _pieces(found.stream())

    async def delete(self, names: Sequence[str]) -> None:
        """Those that exist; it is no error when they do not."""
        for name in names:
            try:
                await obstore.delete_async(self._store, name)
            except (NotFoundError, FileNotFoundError):
                continue


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    async for piece in stream:
        yield bytes(piece)


def open_store(settings: CatalogSettings) -> FileStore:
    """`image_store` is `s3://bucket/prefix` or a directory, which is made when it is missing."""
    address = urlsplit(settings.image_store)
    if address.scheme != "s3":
        directory = Path(settings.image_store).absolute()
        return FileStore(LocalStore(directory, automatic_cleanup=True, mkdir=True))
    endpoint = settings.s3_endpoint_url
    return FileStore(
        S3Store(
            address.netloc,
            prefix=address.path.strip("/") or None,
            region=settings.s3_region,
            endpoint=endpoint,
            access_key_id=settings.s3_access_key_id,
            secret_access_key=settings.s3_secret_access_key,
            virtual_hosted_style_request=endpoint is None,
            retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=STORE_SECONDS)},
            client_options={
                "connect_timeout": timedelta(seconds=STORE_SECONDS),
                "timeout": timedelta(seconds=STORE_SECONDS),
                "allow_http": endpoint is not None and endpoint.startswith("http://"),
            },
        )
    )
