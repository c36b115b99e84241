"""What is read of reservations. Whether one has expired is for the database's clock to say."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.reservations.model import Reservation, ReservationLine
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.ledger import LevelKey
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

NEWEST_FIRST = Sort("created_desc", (Reservation.id,), descending=True)
OLDEST_FIRST = Sort("created_asc", (Reservation.id,))
SORTS = {sort.name: sort for sort in (NEWEST_FIRST, OLDEST_FIRST)}

_HEADER = [column for column in Reservation.__table__.columns if column.key != "status"]
IS_OVERDUE = and_(Reservation.status == "held", Reservation.expires_at <= func.clock_timestamp())
effective_status: ColumnElement[str] = case((IS_OVERDUE, "expired"), else_=Reservation.status)


@dataclass(frozen=True, slots=True)
class ReservationFilter:
    """Every field narrows the list."""

    status: str | None = None
    product_id: int | None = None
    warehouse_id: int | None = None
    external_ref: str | None = None
    created_by: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        conditions: list[ColumnElement[bool]] = []
        if self.status is not None:
            conditions.append(effective_status == self.status)
        if self.external_ref is not None:
            conditions.append(Reservation.external_ref == self.external_ref)
        if self.created_by is not None:
            conditions.append(Reservation.created_by == self.created_by)
        for column, value in (
            (ReservationLine.product_id, self.product_id),
            (ReservationLine.warehouse_id, self.warehouse_id),
        ):
            if value is not None:
                conditions.append(exists().where(ReservationLine.reservation_id == Reservation.id, column == value))
        return conditions


def _reservations() -> Select[*tuple[Any, ...]]:
    return select(*_HEADER, effective_status.label("status"))


async def list_reservations(
    session: AsyncSession, chosen: ReservationFilter, sort: Sort, paging: PageQuery
) -> tuple[Listed, list[ReservationResponse]]:
    """The page, and its reservations with their lines."""
    listed = await fetch_listed(session, _reservations().where(*chosen.conditions()), sort, paging)
    return listed, await _with_lines(session, listed.rows)


async def find_reservation(session: AsyncSession, reservation_id: int) -> ReservationResponse | None:
    found = await _with_lines(
        session, (await session.execute(_reservations().where(Reservation.id == reservation_id))).all()
    )
    return found[0] if found else None


async def find_overdue(session: AsyncSession, limit: int) -> list[int]:
    """Whose time is up and whose holds still lie on their levels, the longest overdue first."""
    query = select(Reservation.id).where(IS_OVERDUE).order_by(Reservation.expires_at).limit(limit)
    return list(await session.scalars(query))


def overdue_quantity(
    product_id: InstrumentedAttribute[int], warehouse_id: InstrumentedAttribute[int], lot: InstrumentedAttribute[int]
) -> ColumnElement[Any]:
    """What of a level's `reserved` counts no longer; correlates with the enclosing query."""
    held = (
        select(func.sum(ReservationLine.quantity))
        .join(Reservation, Reservation.id == ReservationLine.reservation_id)
        .where(
            ReservationLine.product_id == product_id,
            ReservationLine.warehouse_id == warehouse_id,
            ReservationLine.lot == lot,
            IS_OVERDUE,
        )
    )
    return func.coalesce(held.scalar_subquery(), 0)


async def _with_lines(session: AsyncSession, reservations: Sequence[Row[Any]]) -> list[ReservationResponse]:
    lines: dict[int, list[contract.ReservationLine]] = {reservation.id: [] for reservation in reservations}
    query = (
        select(ReservationLine)
        .where(ReservationLine.reservation_id.in_(lines))
        .order_by(ReservationLine.reservation_id, ReservationLine.position)
    )
    for line in await session.scalars(query):
        values = {name: getattr(line, name) for name in contract.ReservationLine.model_fields}
        lines[line.reservation_id].append(contract.ReservationLine.model_construct(**values))
    return [
        ReservationResponse.model_construct(**reservation._mapping, lines=lines[reservation.id])
        for reservation in reservations
    ]


_OVERDUE_ON_LEVELS = """
    SELECT r.id, r.version, r.external_ref, r.notes, r.sale_id, r.created_by, r.created_at, r.expires_at,
           l.id AS line_id, l.product_id, l.sku, l.name, l.warehouse_id, l.lot, l.quantity
    FROM reservation r JOIN reservation_line l ON l.reservation_id = r.id
    WHERE r.status = 'held' AND r.expires_at <= clock_timestamp()
      AND r.id IN (SELECT n.reservation_id
                   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
                   JOIN reservation_line n USING (product_id, warehouse_id, lot))
    ORDER BY r.id, l.position
"""


async def find_overdue_on(connection: asyncpg.Connection, levels: Sequence[LevelKey]) -> list[ReservationResponse]:
    """The overdue reservations that still hold something of these levels, as they are before they expire."""
    rows = await connection.fetch(_OVERDUE_ON_LEVELS, *(list(part) for part in zip(*levels, strict=True)))
    found: dict[int, ReservationResponse] = {}
    header = [name for name in ReservationResponse.model_fields if name not in ("status", "ended_at", "lines")]
    for row in rows:
        if row["id"] not in found:
            values = {name: row[name] for name in header}
            found[row["id"]] = ReservationResponse.model_construct(**values, status="held", ended_at=None, lines=[])
        fields = {name: row[name] for name in contract.ReservationLine.model_fields if name != "id"}
        found[row["id"]].lines.append(contract.ReservationLine.model_construct(id=row["line_id"], **fields))
    return list(found.values())
