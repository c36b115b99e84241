"""Allocates received and damaged quantities to the lines of a transfer."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.contracts.stock import TransferLine
from stockbuddy.stock.documents.allocation import allocate
from stockbuddy.stock.documents.transfers.schemas import ReceiveTransfer, ReceiveTransferLine, TransferResponse
from stockbuddy.stock.errors import NotInTransfer, TransferExceeded
from stockbuddy.stock.ledger import ZERO, share_of


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """What was received of a line: `received` excludes `damaged`."""

    line: TransferLine
    received: Decimal
    damaged: Decimal

    @property
    def value(self) -> Decimal:
        """The share of the value in transit; all of it for everything in transit."""
        return share_of(self.line.value_in_transit, self.received + self.damaged, self.line.in_transit)

    @property
    def damaged_value(self) -> Decimal:
        return share_of(self.value, self.damaged, self.received + self.damaged)


def allocate_receipt(transfer: TransferResponse, body: ReceiveTransfer) -> list[ReceivedLine]:
    """Without `lines`, everything in transit. Raises NotInTransfer, and TransferExceeded with every excess."""
    if body.lines is None:
        return [ReceivedLine(line, line.in_transit, ZERO) for line in transfer.lines if line.in_transit > ZERO]
    requests = [(line, line.received + line.damaged) for line in body.lines]
    allocation = allocate(transfer.lines, requests, lambda line: line.in_transit, unknown_line=NotInTransfer)
    if allocation.excesses:
        raise TransferExceeded([
            request.excess(too_much=excess, in_transit=_in_transit(transfer.lines, request))
            for request, excess in allocation.excesses
        ])  # fmt: skip
    received = {line.id: ZERO for line in transfer.lines}
    damaged = dict(received)
    # By identity: a request may contain two equal lines.
    undamaged_left = {id(request): request.received for request in body.lines}
    for share in allocation.shares:
        # Undamaged goods are allocated first.
        undamaged = min(share.quantity, undamaged_left[id(share.request)])
        undamaged_left[id(share.request)] -= undamaged
        received[share.line.id] += undamaged
        damaged[share.line.id] += share.quantity - undamaged
    return [
        ReceivedLine(line, received[line.id], damaged[line.id])
        for line in transfer.lines
        if received[line.id] + damaged[line.id] > ZERO
    ]


def _in_transit(lines: Sequence[TransferLine], request: ReceiveTransferLine) -> Decimal:
    return sum((line.in_transit for line in lines if request.selects(line)), ZERO)
