"""Single products by id, SKU or barcode, as JSON that the database builds."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import asyncpg

from stockbuddy.catalog.errors import UnknownProduct
from stockbuddy.catalog.read_pool import ReadPool
from stockbuddy.catalog.replica_reads import ReplicaConnections
from stockbuddy.catalog.search.statements import QUANTITY_FIELDS
from stockbuddy.chassis.runtime.batched_reads import BatchedReads

_STOCK = """
    coalesce((SELECT json_agg(row_to_json(w))::text FROM (
        SELECT l.warehouse_id, min(h.name) AS warehouse, min(h.code) AS warehouse_code,
            trim_scale(sum(l.on_hand)) AS on_hand, trim_scale(sum(l.reserved)) AS reserved,
            trim_scale(sum(l.on_hand) - sum(l.reserved)) AS available
        FROM stock_level l LEFT JOIN warehouse h ON h.id = l.warehouse_id
        WHERE l.product_id = s.product_id GROUP BY l.warehouse_id ORDER BY l.warehouse_id) w), '[]')
"""


def _select_by(key_type: str, condition: str) -> str:
    """A statement that finds products by keys. Its rows: the key, the product's version and JSON."""
    return f"""
    SELECT wanted.key, p.version, '{{' || k.document || {QUANTITY_FIELDS} || ',"stock":' || {_STOCK} || '}}' AS body
    FROM unnest($1::{key_type}[]) wanted(key)
    JOIN product p ON {condition}
    JOIN product_card k ON k.product_id = p.id
    JOIN product_stock s ON s.product_id = p.id
"""


BY_ID = _select_by("bigint", "p.id = wanted.key AND p.deleted_at IS NULL")
BY_ID_WITH_DELETED = _select_by("bigint", "p.id = wanted.key")
BY_SKU = _select_by("text", "lower(p.sku) = lower(wanted.key) AND p.deleted_at IS NULL")
BY_BARCODE = _select_by("text", "p.id = (SELECT product_id FROM barcode WHERE key = barcode_key(wanted.key))")

Key = int | str


class StoredProduct(NamedTuple):
    """`json`: the fields of `ProductResponse`."""

    version: int
    json: str


class ProductLookups:
    """Looks up products; concurrent requests share statements on the primary."""

    def __init__(self, read_pool: ReadPool, replica: ReplicaConnections | None) -> None:
        self._read_pool = read_pool
        self._replica = replica
        statements = (BY_ID, BY_ID_WITH_DELETED, BY_SKU, BY_BARCODE)
        self._reads = {statement: BatchedReads(partial(self._read, statement)) for statement in statements}

    async def get(self, statement: str, key: Key) -> StoredProduct:
        """`statement`: one of `BY_…`. Raises UnknownProduct."""
        # PostgreSQL rejects a NUL in a parameter, so no product can have such a code.
        is_storable = isinstance(key, int) or "\0" not in key
        product = await self._find(statement, key) if is_storable else None
        if product is None:
            raise UnknownProduct()
        return product

    async def _find(self, statement: str, key: Key) -> StoredProduct | None:
        if self._replica is not None:
            async with self._replica.connection() as connection:
                if connection is not None:
                    return _by_key(await connection.fetch(statement, [key])).get(key)
        return await self._reads[statement].find(key)

    async def _read(self, statement: str, keys: Sequence[Key]) -> Mapping[Key, StoredProduct]:
        return _by_key(await self._read_pool.fetch(statement, keys))


async def get_uncommitted(connection: asyncpg.Connection, product_id: int) -> StoredProduct:
    """The product as the connection's transaction sees it. Raises UnknownProduct if the transaction has deleted it."""
    found = _by_key(await connection.fetch(BY_ID, [product_id]))
    if product_id not in found:
        raise UnknownProduct()
    return found[product_id]


def _by_key(rows: Sequence[asyncpg.Record]) -> Mapping[Key, StoredProduct]:
    return {key: StoredProduct(version, json) for key, version, json in rows}
