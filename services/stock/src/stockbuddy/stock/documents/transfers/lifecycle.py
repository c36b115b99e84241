"""State changes of transfers: ship, receive in part or whole, complete, cancel.

Losses are visible in the ledger: damaged or written-off stock is posted as incoming and then as `damaged`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.contracts.stock import (
    ArrivedLine,
    TransferCancelled,
    TransferLine,
    TransferReceived,
    TransferShipped,
    TransferState,
)
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.documents.transfers.queries import get_transfer
from stockbuddy.stock.documents.transfers.receipts import ReceivedLine, allocate_receipt
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
    Purpose,
    VersionCheck,
    row_of,
)

_LINE_COLUMNS = ("id", "shipped", "received", "damaged", "returned", "written_off", "unit_cost", "value_in_transit")

_Transition = tuple[TransferResponse, list[TransferState]]
"""The transfer after a step, and the step's events."""


@dataclass(slots=True)
class _Step:
    """A step of a transfer: its entries, and how it changes the transfer once they are posted."""

    transfer: TransferResponse
    entries: list[Entry] = field(default_factory=list)

    def add(self, line: TransferLine, warehouse_id: int, movement_type: MovementType | None, **values: Any) -> None:
        level = LevelKey(line.product_id, warehouse_id, line.lot)
        reference = self.transfer.transfer_reference
        self.entries.append(
            Entry(level, movement_type=movement_type, reference_number=reference, reason="transfer", **values)
        )

    def ship(self, line: TransferLine) -> None:
        """Post the reserved stock as outgoing from the source."""
        source = self.transfer.from_warehouse_id
        self.add(line, source, MovementType.TRANSFER_OUT, on_hand=-line.quantity, reserved=-line.quantity)

    def close_remainder(self, line: TransferLine, disposition: Disposition | None) -> None:
        """Release a line that was not shipped; return or write off what is in transit."""
        source, rest = self.transfer.from_warehouse_id, line.in_transit
        if disposition is None:
            self.add(line, source, None, reserved=-line.quantity)
        elif rest > ZERO:
            self.receive(ReceivedLine(line, rest, ZERO), source)
            if disposition == "write_off":
                self.write_off(ReceivedLine(line, ZERO, rest), source)

    def receive(self, part: ReceivedLine, warehouse_id: int, **values: Any) -> None:
        """Post goods in transit, damaged ones included, as incoming at their share of the value in transit."""
        quantity = part.received + part.damaged
        cost = {"unit_cost": part.line.unit_cost, "value": part.value}
        self.add(part.line, warehouse_id, MovementType.TRANSFER_IN, on_hand=quantity, **cost, **values)

    def write_off(self, part: ReceivedLine, warehouse_id: int) -> None:
        """Post damaged goods as outgoing at the value at which they came in."""
        cost = {"unit_cost": part.line.unit_cost, "value": part.damaged_value}
        self.add(part.line, warehouse_id, MovementType.DAMAGED, on_hand=-part.damaged, **cost)

    def to_posting(self, context: PostingContext, transition: Callable[[PostingResult], _Transition]) -> Posting:
        def build_changes(result: PostingResult) -> DocumentChanges:
            after, events = transition(result)
            return DocumentChanges(
                document_response(200, after),
                updates={
                    "stock_transfer": [row_of(after, "id", "status", "disposition", "shipped_at", "ended_at")],
                    "stock_transfer_line": [row_of(line, *_LINE_COLUMNS) for line in after.lines],
                },
                events=events,
            )

        return Posting(
            self.entries,
            build_changes,
            context.authority(Purpose.MOVEMENT),
            context.key,
            checks=[VersionCheck("stock_transfer", self.transfer.id, self.transfer.version)],
            document=f"stock_transfer/{self.transfer.id}",
        )


async def plan_shipment(context: PostingContext, transfer_id: int) -> Posting:
    """Raises NotFound, InvalidState, WarehouseForbidden; the ledger ProductForbidden. So do the other steps."""
    transfer = await _load(context, transfer_id, "pending")
    await context.warehouse(transfer.from_warehouse_id)
    step = _Step(transfer)
    for line in transfer.lines:
        step.ship(line)
    for line in transfer.lines:
        # Changes nothing, but creates the level that `incoming` is reported on.
        step.add(line, transfer.to_warehouse_id, None)
    return step.to_posting(context, lambda result: _to_event(TransferShipped, _shipped(result, transfer)))


async def plan_receipt(context: PostingContext, transfer_id: int, body: ReceiveTransfer) -> Posting:
    """Also raises TransferExceeded, NotInTransfer."""
    transfer = await _load(context, transfer_id, "in_transit")
    await context.warehouse(transfer.to_warehouse_id)
    received = allocate_receipt(transfer, body)
    step = _Step(transfer)
    for part in received:
        step.receive(part, transfer.to_warehouse_id, notes=body.notes)
        if part.damaged > ZERO:
            step.write_off(part, transfer.to_warehouse_id)
    return step.to_posting(context, lambda result: _received(result, transfer, received))


async def plan_completion(context: PostingContext, transfer_id: int) -> Posting:
    """Receive everything that is in transit, or ship and receive a pending transfer in one step."""
    transfer = await _load(context, transfer_id, "pending", "in_transit")
    if transfer.status == "in_transit":
        return await plan_receipt(context, transfer_id, ReceiveTransfer())
    await context.warehouse(transfer.from_warehouse_id)
    await context.warehouse(transfer.to_warehouse_id)
    step = _Step(transfer)
    for line in transfer.lines:
        step.ship(line)
    for index, line in enumerate(transfer.lines):
        step.add(line, transfer.to_warehouse_id, MovementType.TRANSFER_IN, on_hand=line.quantity, value_from=index)
    return step.to_posting(context, lambda result: _shipped_and_received(result, transfer))


async def plan_cancellation(context: PostingContext, transfer_id: int, body: CancelTransfer) -> Posting:
    """Raises Unprocessable without a disposition of stock in transit."""
    transfer = await _load(context, transfer_id, "pending", "in_transit")
    await context.warehouse(transfer.from_warehouse_id)
    disposition = body.disposition if transfer.status == "in_transit" else None
    if transfer.status == "in_transit" and disposition is None:
        raise Unprocessable.field("disposition", "must be return or write_off: the goods are in transit")
    step = _Step(transfer)
    for line in transfer.lines:
        step.close_remainder(line, disposition)
    return step.to_posting(
        context, lambda result: _to_event(TransferCancelled, _cancelled(result, transfer, disposition))
    )


async def _load(context: PostingContext, transfer_id: int, *allowed: str) -> TransferResponse:
    async with context.database.reading() as session:
        transfer = await get_transfer(session, transfer_id)
    if transfer.status not in allowed:
        raise InvalidState("transfer", transfer.status, allowed)
    return transfer


def _to_event(event: type[TransferState], after: TransferResponse) -> _Transition:
    return after, [event(**dict(after))]


def _transition(transfer: TransferResponse, lines: Sequence[TransferLine], **values: Any) -> TransferResponse:
    return transfer.model_copy(update={"version": transfer.version + 1, "lines": list(lines), **values})


def _update_line(line: TransferLine, **values: Any) -> TransferLine:
    after = line.model_copy(update=values)
    accounted_for = after.received + after.damaged + after.returned + after.written_off
    return after.model_copy(update={"in_transit": after.shipped - accounted_for})


def _shipped(result: PostingResult, transfer: TransferResponse) -> TransferResponse:
    # The entries that ship come first, one per line.
    lines = [
        _update_line(line, shipped=line.quantity, unit_cost=change.unit_cost, value_in_transit=-change.value)
        for line, change in zip(transfer.lines, result.accepted(), strict=False)
    ]
    return _transition(transfer, lines, status="in_transit", shipped_at=result.recorded_at)


def _received(result: PostingResult, transfer: TransferResponse, received: Sequence[ReceivedLine]) -> _Transition:
    parts = {part.line.id: part for part in received}
    lines = [_receive_line(line, parts[line.id]) if line.id in parts else line for line in transfer.lines]
    is_complete = all(line.in_transit == ZERO for line in lines)
    completion = {"status": "completed", "ended_at": result.recorded_at} if is_complete else {}
    after = _transition(transfer, lines, **completion)
    arrived = [
        ArrivedLine(
            line_id=part.line.id,
            product_id=part.line.product_id,
            sku=part.line.sku,
            received=part.received,
            damaged=part.damaged,
        )
        for part in received
    ]
    return after, [TransferReceived(**dict(after), arrived=arrived)]


def _receive_line(line: TransferLine, part: ReceivedLine) -> TransferLine:
    # Of the line as it is now: a completion ships and receives in one step.
    value = ReceivedLine(line, part.received, part.damaged).value
    return _update_line(
        line,
        received=line.received + part.received,
        damaged=line.damaged + part.damaged,
        value_in_transit=line.value_in_transit - value,
    )


def _shipped_and_received(result: PostingResult, transfer: TransferResponse) -> _Transition:
    shipped = _shipped(result, transfer)
    everything = [ReceivedLine(line, line.quantity, ZERO) for line in shipped.lines]
    received, [event] = _received(result, shipped, everything)
    # The two state changes are one posting, so they share one version.
    after = received.model_copy(update={"version": shipped.version})
    return after, [TransferShipped(**dict(shipped)), event.model_copy(update={"version": shipped.version})]


def _cancelled(result: PostingResult, transfer: TransferResponse, disposition: Disposition | None) -> TransferResponse:
    column = {None: None, "return": "returned", "write_off": "written_off"}[disposition]
    lines = [
        line if column is None else _update_line(line, **{column: line.in_transit, "value_in_transit": ZERO})
        for line in transfer.lines
    ]
    return _transition(transfer, lines, status="cancelled", disposition=disposition, ended_at=result.recorded_at)
