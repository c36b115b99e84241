"""What is read of transfers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.pagination import PageQuery
from stockbuddy.contracts import stock as contract
from stockbuddy.stock.documents.transfers.model import Transfer, TransferLine
from stockbuddy.stock.documents.transfers.schemas import TransferResponse
from stockbuddy.stock.listing import Listed, Sort, fetch_listed

NEWEST_FIRST = Sort("created_desc", (Transfer.id,), descending=True)
OLDEST_FIRST = Sort("created_asc", (Transfer.id,))
SORTS = {sort.name: sort for sort in (NEWEST_FIRST, OLDEST_FIRST)}


@dataclass(frozen=True, slots=True)
class TransferFilter:
    """Every field narrows the list; `warehouse_id` is either end."""

    status: str | None = None
    product_id: int | None = None
    warehouse_id: int | None = None
    from_warehouse_id: int | None = None
    to_warehouse_id: int | None = None
    transfer_reference: str | None = None
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        chosen = [
            (Transfer.status, self.status),
            (Transfer.from_warehouse_id, self.from_warehouse_id),
            (Transfer.to_warehouse_id, self.to_warehouse_id),
            (Transfer.transfer_reference, self.transfer_reference),
        ]
        conditions: list[ColumnElement[bool]] = [column == value for column, value in chosen if value is not None]
        if self.warehouse_id is not None:
            here = self.warehouse_id
            conditions.append(or_(Transfer.from_warehouse_id == here, Transfer.to_warehouse_id == here))
        if self.product_id is not None:
            of_product = TransferLine.product_id == self.product_id
            conditions.append(exists().where(TransferLine.transfer_id == Transfer.id, of_product))
        if self.since is not None:
            conditions.append(Transfer.created_at >= self.since)
        if self.until is not None:
            conditions.append(Transfer.created_at < self.until)
        return conditions


async def list_transfers(
    session: AsyncSession, chosen: TransferFilter, sort: Sort, paging: PageQuery
) -> tuple[Listed, list[TransferResponse]]:
    """The page, and its transfers with their lines."""
    listed = await fetch_listed(session, select(Transfer).where(*chosen.conditions()), sort, paging)
    return listed, await _with_lines(session, listed.rows)


async def find_transfer(session: AsyncSession, transfer_id: int) -> TransferResponse | None:
    transfer = await session.get(Transfer, transfer_id)
    return None if transfer is None else (await _with_lines(session, [transfer]))[0]


async def count_pending(session: AsyncSession) -> int:
    query = select(func.count()).select_from(Transfer).where(Transfer.status.in_(("pending", "in_transit")))
    return await session.scalar(query) or 0


async def _with_lines(session: AsyncSession, transfers: Sequence[Transfer]) -> list[TransferResponse]:
    lines: dict[int, list[contract.TransferLine]] = {transfer.id: [] for transfer in transfers}
    query = (
        select(TransferLine)
        .where(TransferLine.transfer_id.in_(lines))
        .order_by(TransferLine.transfer_id, TransferLine.position)
    )
    for line in await session.scalars(query):
        values = {name: getattr(line, name) for name in contract.TransferLine.model_fields}
        lines[line.transfer_id].append(contract.TransferLine.model_construct(**values))
    return [
        TransferResponse.model_construct(
            **{name: getattr(transfer, name) for name in TransferResponse.model_fields if name != "lines"},
            lines=lines[transfer.id],
        )
        for transfer in transfers
    ]
