"""The till: sales are stored on the device first, and delivered once and in order when the server can be reached."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from stockbuddy_client._sync.client import Client
from stockbuddy_client._sync.clock import Lock, call_blocking
from stockbuddy_client.problems import ApiError, StockbuddyError
from stockbuddy_client.sale_queue import REFUSALS, Delivery, QueuedSale, SaleQueue, State

if TYPE_CHECKING:
    from stockbuddy_client.types import SaleCreate

JSON = {"Content-Type": "application/json"}


class Till:
    """`path`: a file, which is created, for one process at a time. A sale belongs to the user whose credentials the
    client has when the sale is made: `deliver` leaves those of other users waiting. Raises TillInUse."""

    def __init__(self, client: Client, path: str | Path) -> None:
        self._client = client
        self._queue = SaleQueue(path)
        self._delivering = Lock()

    def sell(self, sale: SaleCreate | Mapping[str, Any]) -> QueuedSale:
        """Store a sale, also offline. It survives a crash once this returns. The till sets its `reference`, for the
        receipt, and its `occurred_at` unless it is given."""
        if "reference" in sale:
            raise ValueError("the till sets the reference")
        return call_blocking(self._queue.add, sale, self._owner())

    def deliver(self) -> Delivery:
        """Post the waiting sales, oldest first, until none is left or the server cannot be reached. A refused sale is
        set aside and the next one follows."""
        delivered = refused = 0
        with self._delivering:
            while (sale := call_blocking(self._queue.find_next, self._owner())) is not None:
                try:
                    response = self._post(sale)
                except ApiError as error:
                    if error.status not in REFUSALS:
                        return Delivery(delivered, refused, error)
                    call_blocking(self._queue.mark_refused, sale, error)
                    refused += 1
                except StockbuddyError as error:
                    return Delivery(delivered, refused, error)
                else:
                    call_blocking(self._queue.mark_delivered, sale, response)
                    delivered += 1
        return Delivery(delivered, refused, None)

    def _post(self, sale: QueuedSale) -> Any:
        """Post a sale unless the server has it from an earlier attempt whose response was lost. The key alone does not
        show that: it expires, and it belongs to the user who sent it."""
        if sale.sent_at is not None:
            for found in self._client.list("/sales", search=sale.reference):
                if found["reference"] == sale.reference:
                    return found
        call_blocking(self._queue.mark_sent, sale)
        request = self._client.request
        return request("POST", "/sales", content=sale.content, headers=JSON, idempotency_key=sale.key)

    def sales(self, state: State | None = None) -> list[QueuedSale]:
        """The sales in this state, oldest first. Delivered ones are kept for 30 days."""
        return call_blocking(self._queue.list_sales, state)

    def retry(self, reference: str) -> None:
        """Let the current user deliver a refused sale, or one of another user. Raises NotQueued, also for another
        user's sale that was sent less than two minutes ago: the server may be about to accept it."""
        call_blocking(self._queue.requeue, reference, self._owner())

    def discard(self, reference: str) -> None:
        """Delete a refused sale for good. Raises NotQueued for any other."""
        call_blocking(self._queue.discard, reference)

    def _owner(self) -> str:
        if self._client.credentials is None:
            raise StockbuddyError("log in before using the till: sales belong to a user")
        return self._client.credentials.owner

    def close(self) -> None:
        call_blocking(self._queue.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
