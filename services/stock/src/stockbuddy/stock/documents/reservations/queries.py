"""Reads of reservations. Whether one has expired is decided by the database's clock."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from sqlalchemy import ColumnElement, Row, Select, and_, case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_row_page, sort_orders
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.lines import with_lines
from stockbuddy.stock.documents.reservations.model import Reservation, ReservationLine
from stockbuddy.stock.documents.reservations.schemas import ReservationFilter, ReservationResponse
from stockbuddy.stock.ledger import LevelKey

SORT_ORDERS = sort_orders(
    SortOrder("created_desc", (Reservation.id,), descending=True),
    SortOrder("created_asc", (Reservation.id,)),
)

_HEADER = [column for column in Reservation.__table__.columns if column.key != "status"]
_IS_UNRELEASED = and_(Reservation.status == "held", Reservation.expires_at <= func.clock_timestamp())
"""Expired, and its stock still counts in `level.reserved`."""
_EXPIRED_IDS = """
    SELECT id FROM reservation WHERE status = 'held' AND expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1
"""
_status: ColumnElement[str] = case((_IS_UNRELEASED, "expired"), else_=Reservation.status)


def _conditions(filters: ReservationFilter) -> list[ColumnElement[bool]]:
    equalities = (
        (_status, filters.status),
        (Reservation.external_ref, filters.external_ref),
        (Reservation.created_by, filters.created_by),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    line_equalities = (
        (ReservationLine.product_id, filters.product_id),
        (ReservationLine.warehouse_id, filters.warehouse_id),
    )
    conditions += [
        exists().where(ReservationLine.reservation_id == Reservation.id, column == value)
        for column, value in line_equalities
        if value is not None
    ]
    return conditions


def _select_reservations() -> Select[*tuple[Any, ...]]:
    return select(*_HEADER, _status.label("status"))


async def list_reservations(session: AsyncSession, filters: ReservationFilter) -> PageSlice[ReservationResponse]:
    query = _select_reservations().where(*_conditions(filters))
    found = await fetch_row_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _to_responses(session, found.rows), found.total, found.next_cursor)


async def get_reservation(session: AsyncSession, reservation_id: int) -> ReservationResponse:
    """Raises NotFound."""
    rows = (await session.execute(_select_reservations().where(Reservation.id == reservation_id))).all()
    if not rows:
        raise NotFound()
    return (await _to_responses(session, rows))[0]


async def find_expired_ids(connection: asyncpg.Connection, limit: int) -> list[int]:
    """Expired reservations whose stock has not been released, in the order of their expiry."""
    return [row["id"] for row in await connection.fetch(_EXPIRED_IDS, limit)]


def expired_quantity(
    product_id: InstrumentedAttribute[int], warehouse_id: InstrumentedAttribute[int], lot: InstrumentedAttribute[int]
) -> ColumnElement[Any]:
    """The part of a level's `reserved` that expired reservations have not released yet; a correlated subquery."""
    quantity = (
        select(func.sum(ReservationLine.quantity))
        .join(Reservation, Reservation.id == ReservationLine.reservation_id)
        .where(
            ReservationLine.product_id == product_id,
            ReservationLine.warehouse_id == warehouse_id,
            ReservationLine.lot == lot,
            _IS_UNRELEASED,
        )
    )
    return func.coalesce(quantity.scalar_subquery(), 0)


async def _to_responses(session: AsyncSession, reservations: Sequence[Row[Any]]) -> list[ReservationResponse]:
    line = ReservationLine
    return await with_lines(
        session, reservations, line.reservation_id, line.position, contract.ReservationLine, ReservationResponse
    )


_EXPIRED_ON_LEVELS = """
    SELECT r.id, r.version, r.external_ref, r.notes, r.sale_id, r.created_by, r.created_at, r.expires_at,
           l.id AS line_id, l.product_id, l.sku, l.name, l.warehouse_id, l.lot, l.quantity
    FROM reservation r JOIN reservation_line l ON l.reservation_id = r.id
    WHERE r.status = 'held' AND r.expires_at <= clock_timestamp()
      AND r.id IN (SELECT n.reservation_id
                   FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS k(product_id, warehouse_id, lot)
                   JOIN reservation_line n USING (product_id, warehouse_id, lot))
    ORDER BY r.id, l.position
"""


async def find_expired_on(connection: asyncpg.Connection, levels: Sequence[LevelKey]) -> list[ReservationResponse]:
    """Expired reservations that have not released their stock of these levels, with status `held`."""
    rows = await connection.fetch(_EXPIRED_ON_LEVELS, *(list(part) for part in zip(*levels, strict=True)))
    header = [name for name in ReservationResponse.model_fields if name not in ("status", "ended_at", "lines")]
    found: dict[int, ReservationResponse] = {}
    for row in rows:
        if row["id"] not in found:
            values = {name: row[name] for name in header}
            found[row["id"]] = ReservationResponse.model_construct(**values, status="held", ended_at=None, lines=[])
        line = {name: row[name] for name in contract.ReservationLine.model_fields if name != "id"}
        found[row["id"]].lines.append(contract.ReservationLine.model_construct(id=row["line_id"], **line))
    return list(found.values())
