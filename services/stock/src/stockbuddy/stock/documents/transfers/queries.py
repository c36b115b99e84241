"""Reads of transfers."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.pagination import PageSlice, SortOrder, fetch_page
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.transfers.model import Transfer, TransferLine
from stockbuddy.stock.documents.transfers.schemas import TransferFilter, TransferResponse
from stockbuddy.stock.ledger import row_of

SORT_ORDERS = {
    order.name: order
    for order in (
        SortOrder("created_desc", (Transfer.id,), descending=True),
        SortOrder("created_asc", (Transfer.id,)),
    )
}


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
    if filters.since is not None:
        conditions.append(Transfer.created_at >= filters.since)
    if filters.until is not None:
        conditions.append(Transfer.created_at < filters.until)
    return conditions


async def list_transfers(session: AsyncSession, filters: TransferFilter) -> PageSlice[TransferResponse]:
    query = select(Transfer).where(*_conditions(filters))
    found = await fetch_page(session, query, SORT_ORDERS[filters.sort_by], filters)
    return PageSlice(await _with_lines(session, found.rows), found.total, found.next_cursor)


async def get_transfer(session: AsyncSession, transfer_id: int) -> TransferResponse:
    """Raises NotFound."""
    transfer = await session.get(Transfer, transfer_id)
    if transfer is None:
        raise NotFound()
    return (await _with_lines(session, [transfer]))[0]


async def _with_lines(session: AsyncSession, transfers: Sequence[Transfer]) -> list[TransferResponse]:
    lines: dict[int, list[contract.TransferLine]] = {transfer.id: [] for transfer in transfers}
    query = (
        select(TransferLine)
        .where(TransferLine.transfer_id.in_(lines))
        .order_by(TransferLine.transfer_id, TransferLine.position)
    )
    for line in await session.scalars(query):
        values = row_of(line, *contract.TransferLine.model_fields)
        lines[line.transfer_id].append(contract.TransferLine.model_construct(**values))
    names = [name for name in TransferResponse.model_fields if name != "lines"]
    return [
        TransferResponse.model_construct(**row_of(transfer, *names), lines=lines[transfer.id]) for transfer in transfers
    ]
