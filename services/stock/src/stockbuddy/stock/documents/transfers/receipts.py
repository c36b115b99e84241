"""Which lines of a transfer get what has arrived."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.contracts.stock import TransferLine
from stockbuddy.stock.documents.transfers.schemas import ReceiveTransferLine, ReceiveTransfer, TransferResponse
from stockbuddy.stock.errors import NotInTransfer, TransferExceeded
from stockbuddy.stock.ledger import ZERO


@dataclass(frozen=True, slots=True)
class ReceivedTransferLine:
    """What of one line has arrived."""

    line: TransferLine
    received: Decimal
    damaged: Decimal


def allot(transfer: TransferResponse, arrival: ReceiveTransfer) -> list[ReceivedTransferLine]:
    """Raises NotInTransfer, and TransferExceeded with everything that is too much."""
    if arrival.lines is None:
        return [ReceivedTransferLine(line, line.in_transit, ZERO) for line in transfer.lines if line.in_transit > 0]
    received = dict.fromkeys((line.id for line in transfer.lines), ZERO)
    damaged = dict(received)
    excesses: list[dict[str, Any]] = []
    for arriving in arrival.lines:
        good, broken = arriving.received, arriving.damaged
        lines = _lines_named(transfer, arriving)
        for line in lines:
            room = line.in_transit - received[line.id] - damaged[line.id]
            good_part, broken_part = min(good, room), min(broken, room - min(good, room))
            received[line.id] += good_part
            damaged[line.id] += broken_part
            good, broken = good - good_part, broken - broken_part
        if good + broken > 0:
            excesses.append(_excess(arriving, good + broken, lines))
    if excesses:
        raise TransferExceeded(excesses)
    return [
        ReceivedTransferLine(line, received[line.id], damaged[line.id])
        for line in transfer.lines
        if received[line.id] + damaged[line.id] > 0
    ]


def _lines_named(transfer: TransferResponse, arriving: ReceiveTransferLine) -> list[TransferLine]:
    lines = [
        line
        for line in transfer.lines
        if line.id == arriving.line_id
        or line.product_id == arriving.product_id
        or (arriving.sku is not None and line.sku.lower() == arriving.sku.lower())
    ]
    if not lines:
        raise NotInTransfer()
    return lines


def _excess(arriving: ReceiveTransferLine, too_much: Decimal, lines: list[TransferLine]) -> dict[str, Any]:
    named = arriving.model_dump(exclude_none=True, include={"line_id", "product_id", "sku"})
    in_transit = sum((line.in_transit for line in lines), ZERO)
    return named | {"too_much": quantity_number(too_much), "in_transit": quantity_number(in_transit)}
