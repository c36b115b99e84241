"""Single products for responses: JSON from the database as it is."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

from stockbuddy.catalog.batched_reads import BatchedReads
from stockbuddy.catalog.errors import UnknownProduct
from stockbuddy.catalog.products import queries
from stockbuddy.catalog.read_pool import ReadPool

Key = int | str


class StoredProduct(NamedTuple):
    """`json`: the fields of `ProductResponse`."""

    version: int
    json: str


class ProductReads:
    """Reads of concurrent requests share statements."""

    def __init__(self, read_pool: ReadPool) -> None:
        self._read_pool = read_pool
        statements = (queries.BY_ID, queries.BY_ID_WITH_DELETED, queries.BY_SKU, queries.BY_BARCODE)
        self._reads = {statement: BatchedReads(partial(self._read, statement)) for statement in statements}

    async def get(self, statement: str, key: Key) -> StoredProduct:
        """`statement`: one of `queries.BY_…`. Raises UnknownProduct."""
        # PostgreSQL rejects a NUL in a parameter, so no product can have such a code.
        is_storable = isinstance(key, int) or "\0" not in key
        product = await self._reads[statement].find(key) if is_storable else None
        if product is None:
            raise UnknownProduct()
        return product

    async def _read(self, statement: str, keys: Sequence[Key]) -> Mapping[Key, StoredProduct]:
        return _by_key(await self._read_pool.fetch(statement, keys))


async def get_uncommitted(connection: asyncpg.Connection, product_id: int) -> StoredProduct:
    """The product as the connection's transaction has changed it. Raises UnknownProduct if it has deleted it."""
    found = _by_key(await connection.fetch(queries.BY_ID, [product_id]))
    if product_id not in found:
        raise UnknownProduct()
    return found[product_id]


def _by_key(rows: Sequence[asyncpg.Record]) -> Mapping[Key, StoredProduct]:
    return {key: StoredProduct(version, json) for key, version, json in rows}
