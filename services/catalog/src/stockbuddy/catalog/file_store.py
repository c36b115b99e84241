"""Files by name, in a directory or any S3-compatible store. A name is written once and its content never changes."""

from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store
from pydantic import SecretStr

from stockbuddy.catalog.errors import ImageStoreUnavailable
from stockbuddy.catalog.settings import CatalogSettings

STORE_TIMEOUT_SECONDS = 10
MAX_RETRIES = 2

STORE_ERRORS = (OSError, BaseError)
NOT_FOUND_ERRORS = (NotFoundError, FileNotFoundError)


class StoreSettings(Protocol):
    """See CatalogSettings."""

    @property
    def image_store(self) -> str: ...
    @property
    def s3_endpoint_url(self) -> str | None: ...
    @property
    def s3_region(self) -> str: ...
    @property
    def s3_access_key_id(self) -> str | None: ...
    @property
    def s3_secret_access_key(self) -> SecretStr | None: ...


class FileStore:
    """Names are paths such as `images/42/…/original`."""

    def __init__(self, store: LocalStore | S3Store) -> None:
        self._store = store

    async def write(self, name: str, content: bytes) -> None:
        try:
            await obstore.put_async(self._store, name, content)
        except STORE_ERRORS as error:
            raise ImageStoreUnavailable() from error

    async def read(self, name: str) -> AsyncIterator[bytes] | None:
        """The file in chunks; None if it does not exist."""
        try:
            result = await obstore.get_async(self._store, name)
        except NOT_FOUND_ERRORS:
            return None
        except STORE_ERRORS as error:
            raise ImageStoreUnavailable() from error
        return _chunks(result.stream())

    async def delete(self, names: Sequence[str]) -> None:
        """Ignores files that do not exist. Raises STORE_ERRORS."""
        for name in names:
            try:
                await obstore.delete_async(self._store, name)
            except NOT_FOUND_ERRORS:
                continue


async def _chunks(stream: Any) -> AsyncIterator[bytes]:
    async for chunk in stream:
        yield bytes(chunk)


def open_file_store(settings: CatalogSettings) -> FileStore:
    return FileStore(open_store(settings))


def open_store(settings: StoreSettings) -> LocalStore | S3Store:
    """The store that `image_store` names. A missing directory is created."""
    address = urlsplit(settings.image_store)
    if address.scheme != "s3":
        directory = Path(settings.image_store).absolute()
        return LocalStore(directory, automatic_cleanup=True, mkdir=True)
    endpoint, secret = settings.s3_endpoint_url, settings.s3_secret_access_key
    timeout = timedelta(seconds=STORE_TIMEOUT_SECONDS)
    return S3Store(
        address.netloc,
        prefix=address.path.strip("/") or None,
        region=settings.s3_region,
        endpoint=endpoint,
        access_key_id=settings.s3_access_key_id,
        secret_access_key=secret.get_secret_value() if secret is not None else None,
        # Other S3-compatible stores rarely have a DNS name per bucket.
        virtual_hosted_style_request=endpoint is None,
        retry_config={"max_retries": MAX_RETRIES, "retry_timeout": timeout},
        client_options={
            "connect_timeout": timeout,
            "timeout": timeout,
            "allow_http": endpoint is not None and endpoint.startswith("http://"),
        },
    )
