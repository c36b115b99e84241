"""Takes a transfer from step to step: shipped, received in part or whole, completed, cancelled.

Losses are visible in the ledger: what arrives damaged or is written off comes in and goes out again as damaged.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stockbuddy.chassis.http.errors import NotFound, Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import (
    ArrivedLine,
    TransferCancelled,
    TransferLine,
    TransferReceived,
    TransferShipped,
    TransferState,
)
from stockbuddy.stock.documents.transfers.queries import find_transfer
from stockbuddy.stock.documents.transfers.receipts import ReceivedTransferLine, allot
from stockbuddy.stock.documents.transfers.schemas import CancelTransfer, Disposition, ReceiveTransfer, TransferResponse
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    ZERO,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    VersionCheck,
    row_of,
)
from stockbuddy.stock.replicas.products.ownership import require_owner_of

_LINE_COLUMNS = ("id", "shipped", "received", "damaged", "returned", "written_off", "unit_cost")


@dataclass(slots=True)
class _Step:
    """What one step does: its entries, and how it leaves the transfer once they are posted."""

    transfer: TransferResponse
    entries: list[Entry] = field(default_factory=list)
    finish: Callable[[PostingResult, TransferResponse], tuple[TransferResponse, list[TransferState]]] | None = None

    def add(self, line: TransferLine, warehouse_id: int, movement_type: MovementType | None, **values: Any) -> None:
        level = LevelKey(line.product_id, warehouse_id, line.lot)
        reference = self.transfer.transfer_reference
        self.entries.append(
            Entry(level, movement_type=movement_type, reference_number=reference, reason="transfer", **values)
        )


async def ship(context: PostingContext, transfer_id: int) -> Posting:
    """Raises NotFound, InvalidState, ProductForbidden, WarehouseForbidden; so do the other steps."""
    transfer = await _at_hand(context, transfer_id, "pending")
    await context.warehouse(transfer.from_warehouse_id)
    step = _Step(transfer)
    for line in transfer.lines:
        _send(step, line)
    for line in transfer.lines:
        # Changes nothing yet, but from now on there is a level that something is on its way to.
        step.add(line, transfer.to_warehouse_id, None)
    step.finish = lambda result, before: _told(TransferShipped, _shipped(result, before))
    return _posting(context, step)


async def receive(context: PostingContext, transfer_id: int, arrival: ReceiveTransfer) -> Posting:
    """Raises TransferExceeded, NotInTransfer too."""
    transfer = await _at_hand(context, transfer_id, "in_transit")
    await context.warehouse(transfer.to_warehouse_id)
    arrived = allot(transfer, arrival)
    step = _Step(transfer)
    for part in arrived:
        step.add(
            part.line,
            transfer.to_warehouse_id,
            MovementType.TRANSFER_IN,
            on_hand=part.received + part.damaged,
            unit_cost=part.line.unit_cost,
            notes=arrival.notes,
        )
        if part.damaged > 0:
            step.add(part.line, transfer.to_warehouse_id, MovementType.DAMAGED, on_hand=-part.damaged)
    step.finish = lambda result, before: _received(result, before, arrived)
    return _posting(context, step)


async def complete(context: PostingContext, transfer_id: int) -> Posting:
    """All that is left of it arrives, whether it was shipped before or not."""
    transfer = await _at_hand(context, transfer_id, "pending", "in_transit")
    if transfer.status == "in_transit":
        return await receive(context, transfer_id, ReceiveTransfer())
    await context.warehouse(transfer.from_warehouse_id)
    await context.warehouse(transfer.to_warehouse_id)
    step = _Step(transfer)
    for line in transfer.lines:
        _send(step, line)
    for position, line in enumerate(transfer.lines):
        step.add(line, transfer.to_warehouse_id, MovementType.TRANSFER_IN, on_hand=line.quantity, cost_from=position)
    step.finish = _shipped_and_received
    return _posting(context, step)


async def cancel(context: PostingContext, transfer_id: int, cancellation: CancelTransfer) -> Posting:
    """Raises Unprocessable when nobody says what becomes of what is in transit."""
    transfer = await _at_hand(context, transfer_id, "pending", "in_transit")
    await context.warehouse(transfer.from_warehouse_id)
    step = _Step(transfer)
    disposition = cancellation.disposition if transfer.status == "in_transit" else None
    if transfer.status == "in_transit" and disposition is None:
        raise Unprocessable.field("disposition", "must be return or write_off: the goods are in transit")
    for line in transfer.lines:
        _dispose(step, line, disposition)
    step.finish = lambda result, before: _told(TransferCancelled, _cancelled(result, before, disposition))
    return _posting(context, step)


async def _at_hand(context: PostingContext, transfer_id: int, *states: str) -> TransferResponse:
    async with context.database.reading() as session:
        transfer = await find_transfer(session, transfer_id)
        if transfer is None:
            raise NotFound()
        await require_owner_of(session, context.caller, [line.product_id for line in transfer.lines])
    if transfer.status not in states:
        raise InvalidState("transfer", transfer.status, states)
    return transfer


def _send(step: _Step, line: TransferLine) -> None:
    """What was held at the source leaves it."""
    source = step.transfer.from_warehouse_id
    step.add(line, source, MovementType.TRANSFER_OUT, on_hand=-line.quantity, reserved=-line.quantity)


def _dispose(step: _Step, line: TransferLine, disposition: Disposition | None) -> None:
    source, rest = step.transfer.from_warehouse_id, line.in_transit
    if disposition is None:
        step.add(line, source, None, reserved=-line.quantity)
    elif rest > 0:
        step.add(line, source, MovementType.TRANSFER_IN, on_hand=rest, unit_cost=line.unit_cost)
        if disposition == "write_off":
            step.add(line, source, MovementType.DAMAGED, on_hand=-rest)


def _posting(context: PostingContext, step: _Step) -> Posting:
    transfer = step.transfer

    def build_changes(result: PostingResult) -> DocumentChanges:
        assert step.finish is not None
        after, events = step.finish(result, transfer)
        return DocumentChanges(
            StoredResponse(200, after.model_dump_json()),
            updates={
                "stock_transfer": [row_of(after, "id", "status", "disposition", "shipped_at", "ended_at")],
                "stock_transfer_line": [row_of(line, *_LINE_COLUMNS) for line in after.lines],
            },
            events=events,
        )

    return Posting(
        step.entries,
        build_changes,
        context.key,
        checks=[VersionCheck("stock_transfer", transfer.id, transfer.version)],
        document=f"stock_transfer/{transfer.id}",
    )


def _told(event: type[TransferState], after: TransferResponse) -> tuple[TransferResponse, list[TransferState]]:
    return after, [event(**dict(after))]


def _changed(transfer: TransferResponse, lines: Sequence[TransferLine], **values: Any) -> TransferResponse:
    return transfer.model_copy(update={"version": transfer.version + 1, "lines": list(lines), **values})


def _line_with(line: TransferLine, **values: Any) -> TransferLine:
    after = line.model_copy(update=values)
    gone = after.received + after.damaged + after.returned + after.written_off
    return after.model_copy(update={"in_transit": after.shipped - gone})


def _shipped(result: PostingResult, transfer: TransferResponse) -> TransferResponse:
    lines = [
        _line_with(line, shipped=line.quantity, unit_cost=change.unit_cost)
        for line, change in zip(transfer.lines, result.accepted(), strict=False)
    ]
    return _changed(transfer, lines, status="in_transit", shipped_at=result.recorded_at)


def _received(
    result: PostingResult, transfer: TransferResponse, arrived: Sequence[ReceivedTransferLine]
) -> tuple[TransferResponse, list[TransferState]]:
    parts = {part.line.id: part for part in arrived}
    lines = [
        _line_with(
            line,
            received=line.received + parts[line.id].received,
            damaged=line.damaged + parts[line.id].damaged,
        )
        if line.id in parts
        else line
        for line in transfer.lines
    ]
    is_complete = all(line.in_transit == ZERO for line in lines)
    ending = {"status": "completed", "ended_at": result.recorded_at} if is_complete else {}
    after = _changed(transfer, lines, **ending)
    came = [
        ArrivedLine(
            line_id=part.line.id,
            product_id=part.line.product_id,
            sku=part.line.sku,
            received=part.received,
            damaged=part.damaged,
        )
        for part in arrived
    ]
    return after, [TransferReceived(**dict(after), arrived=came)]


def _shipped_and_received(result: PostingResult, transfer: TransferResponse) -> tuple[TransferResponse, list[TransferState]]:
    shipped = _shipped(result, transfer)
    arrived = [ReceivedTransferLine(line, line.quantity, ZERO) for line in shipped.lines]
    received, events = _received(result, shipped, arrived)
    # One step of the document, so one version of it.
    after = received.model_copy(update={"version": shipped.version})
    [arrival] = events
    return after, [TransferShipped(**dict(shipped)), arrival.model_copy(update={"version": shipped.version})]


def _cancelled(result: PostingResult, transfer: TransferResponse, disposition: Disposition | None) -> TransferResponse:
    fate = {"return": "returned", "write_off": "written_off"}
    lines = [
        _line_with(line, **{fate[disposition]: line.in_transit}) if disposition else line for line in transfer.lines
    ]
    return _changed(transfer, lines, status="cancelled", disposition=disposition, ended_at=result.recorded_at)
