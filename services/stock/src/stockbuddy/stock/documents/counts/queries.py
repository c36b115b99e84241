"""What is read of counts, and how what is expected is frozen."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, exists, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.counts.model import Count, CountLine
from stockbuddy.stock.documents.counts.schemas import StockCountResponse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed
from stockbuddy.stock.replicas.products.model import Product

NEWEST_FIRST = Sort("created_desc", (Count.id,), descending=True)
OLDEST_FIRST = Sort("created_asc", (Count.id,))
SORTS = {sort.name: sort for sort in (NEWEST_FIRST, OLDEST_FIRST)}


@dataclass(frozen=True, slots=True)
class CountFilter:
    """Every field narrows the list."""

    status: str | None = None
    warehouse_id: int | None = None
    product_id: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.status is not None:
            conditions.append(Count.status == self.status)
        if self.warehouse_id is not None:
            conditions.append(Count.warehouse_id == self.warehouse_id)
        if self.product_id is not None:
            conditions.append(exists().where(CountLine.count_id == Count.id, CountLine.product_id == self.product_id))
        return conditions


async def list_counts(
    session: AsyncSession, chosen: CountFilter, sort: Sort, paging: PageQuery
) -> tuple[Listed, list[StockCountResponse]]:
    """The page, and its counts with their lines."""
    listed = await fetch_listed(session, select(Count).where(*chosen.conditions()), sort, paging)
    return listed, await _with_lines(session, listed.rows)


async def find_count(session: AsyncSession, count_id: int) -> StockCountResponse | None:
    count = await session.get(Count, count_id)
    return None if count is None else await view_of(session, count)


async def lock_count(session: AsyncSession, count_id: int) -> Count | None:
    return await session.scalar(select(Count).where(Count.id == count_id).with_for_update())


async def view_of(session: AsyncSession, count: Count) -> StockCountResponse:
    return (await _with_lines(session, [count]))[0]


async def _with_lines(session: AsyncSession, counts: Sequence[Count]) -> list[StockCountResponse]:
    lines: dict[int, list[contract.CountLine]] = {count.id: [] for count in counts}
    query = (
        select(CountLine, Product.sku, Product.name)
        .join(Product, Product.id == CountLine.product_id)
        .where(CountLine.count_id.in_(lines))
        .order_by(CountLine.count_id, Product.sku, CountLine.lot)
    )
    own = [name for name in contract.CountLine.model_fields if name not in ("sku", "name")]
    for line, sku, name in await session.execute(query):
        values = {field: getattr(line, field) for field in own}
        lines[line.count_id].append(contract.CountLine.model_construct(**values, sku=sku, name=name))
    return [
        StockCountResponse.model_construct(
            **{name: getattr(count, name) for name in StockCountResponse.model_fields if name != "lines"}, lines=lines[count.id]
        )
        for count in counts
    ]


# One statement sees all levels as they are at one moment.
_FREEZE_LEVELS = text("""
    INSERT INTO stock_count_line (count_id, product_id, lot, expected, level_version)
    SELECT :count_id, l.product_id, l.lot, l.on_hand, l.version
    FROM level l JOIN product p ON p.id = l.product_id
    WHERE l.warehouse_id = :warehouse_id AND l.version > 0 AND NOT p.deleted
      AND (CAST(:product_ids AS bigint[]) IS NULL OR p.id = ANY(:product_ids))
      AND (CAST(:category AS text) IS NULL OR lower(p.category) = lower(:category))
      AND (CAST(:owner_id AS bigint) IS NULL OR p.owner_id = :owner_id)
    ON CONFLICT DO NOTHING
""")
_FREEZE_ABSENT = text("""
    INSERT INTO stock_count_line (count_id, product_id, lot, expected, level_version)
    SELECT :count_id, c.product_id, c.lot, coalesce(l.on_hand, 0), coalesce(l.version, 0)
    FROM unnest(CAST(:product_ids AS bigint[]), CAST(:lots AS bigint[])) AS c(product_id, lot)
    LEFT JOIN level l ON l.product_id = c.product_id AND l.lot = c.lot AND l.warehouse_id = :warehouse_id
    ON CONFLICT DO NOTHING
""")


async def freeze_levels(
    session: AsyncSession,
    count: Count,
    *,
    product_ids: Sequence[int] | None,
    category: str | None,
    owner_id: int | None,
) -> None:
    """What lies in the warehouse now is expected, as far as it is chosen; None chooses everything."""
    chosen = None if product_ids is None else list(product_ids)
    parameters = {"product_ids": chosen, "category": category, "owner_id": owner_id}
    await session.execute(_FREEZE_LEVELS, {"count_id": count.id, "warehouse_id": count.warehouse_id} | parameters)


async def freeze_named(session: AsyncSession, count: Count, keys: Sequence[tuple[int, int]]) -> None:
    """Lines for these products and lots too, of which there may be nothing."""
    await session.execute(
        _FREEZE_ABSENT,
        {
            "count_id": count.id,
            "warehouse_id": count.warehouse_id,
            "product_ids": [product_id for product_id, _ in keys],
            "lots": [lot for _, lot in keys],
        },
    )


_ENTER = text("""
    UPDATE stock_count_line c
    SET counted = :counted, counted_at = :counted_at, counted_by = :counted_by,
        expected = coalesce((SELECT m.balance FROM movement m
                             WHERE (m.product_id, m.warehouse_id, m.lot) = (c.product_id, :warehouse_id, c.lot)
                               AND m.version <= c.level_version ORDER BY m.version DESC LIMIT 1), 0)
                 + coalesce((SELECT sum(m.quantity) FROM movement m
                             WHERE (m.product_id, m.warehouse_id, m.lot) = (c.product_id, :warehouse_id, c.lot)
                               AND m.version > c.level_version
                               AND m.occurred_at <= CAST(:seen_until AS timestamptz)), 0)
    WHERE c.count_id = :count_id AND c.product_id = :product_id AND c.lot = :lot
""")


@dataclass(frozen=True, slots=True)
class Entered:
    """What somebody counted of a product and lot; `seen_until` is when they did, if they said so."""

    product_id: int
    lot: int
    counted: Decimal | None
    seen_until: datetime | None


async def enter(session: AsyncSession, count: Count, entered: Sequence[Entered], actor_id: int, now: datetime) -> None:
    await session.execute(
        _ENTER,
        [
            {
                "count_id": count.id,
                "warehouse_id": count.warehouse_id,
                "product_id": line.product_id,
                "lot": line.lot,
                "counted": line.counted,
                "counted_at": None if line.counted is None else line.seen_until or now,
                "counted_by": None if line.counted is None else actor_id,
                "seen_until": line.seen_until,
            }
            for line in entered
        ],
    )
