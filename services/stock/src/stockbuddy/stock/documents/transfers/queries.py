"""Reads of transfers."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page, sort_orders
from stockbuddy.chassis.http.sessions import get_or_404
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.lines import with_lines
from stockbuddy.stock.documents.transfers.model import Transfer, TransferLine
from stockbuddy.stock.documents.transfers.schemas import TransferFilter, TransferResponse
from stockbuddy.stock.periods import moment_conditions

SORT_ORDERS = sort_orders(
    SortOrder("created_desc", (Transfer.id,), descending=True),
    SortOrder("created_asc", (Transfer.id,)),
)


def _conditions(filters: TransferFilter) -> list[ColumnElement[bool]]:
    equalities = (
        (Transfer.status, filters.status),
        (Transfer.from_warehouse_id, filters.from_warehouse_id),
        (Transfer.to_warehouse_id, filters.to_warehouse_id),
        (Transfer.transfer_reference, filters.transfer_reference),
    )
    conditions: list[ColumnElement[bool]] = [column == value for column, value in equalities if value is not None]
    if (warehouse_id := filters.warehouse_id) is not None:
        conditions.append(or_(Transfer.from_warehouse_id == warehouse_id, Transfer.to_warehouse_id == warehouse_id))
    if filters.product_id is not None:
        is_product = TransferLine.product_id == filters.product_id
        conditions.append(exists().where(TransferLine.transfer_id == Transfer.id, is_product))
    return conditions


async def list_transfers(session: AsyncSession, filters: TransferFilter) -> PageSlice[TransferResponse]:
    query = select(Transfer).where(
        *_conditions(filters), *await moment_conditions(session, Transfer.created_at, filters)
    )
    found = await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _to_responses(session, found.rows), found.total, found.next_cursor)


async def get_transfer(session: AsyncSession, transfer_id: int) -> TransferResponse:
    """Raises NotFound."""
    return (await _to_responses(session, [await get_or_404(session, Transfer, transfer_id)]))[0]


async def _to_responses(session: AsyncSession, transfers: Sequence[Transfer]) -> list[TransferResponse]:
    line = TransferLine
    return await with_lines(
        session, transfers, line.transfer_id, line.position, contract.TransferLine, TransferResponse
    )
