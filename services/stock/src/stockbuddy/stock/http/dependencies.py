"""Dependencies of the routes that post to the ledger."""

from typing import Annotated

from fastapi import Depends, Request

from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.idempotency import IdempotencyKey
from stockbuddy.stock.http.services import Services
from stockbuddy.stock.inventory.posting_context import PostingContext


async def get_posting_context(request: Request, caller: Caller, services: Services) -> PostingContext:
    key: IdempotencyKey | None = getattr(request.state, "idempotency_key", None)
    return PostingContext(
        caller=caller,
        key=key,
        database=services.database,
        ledger=services.ledger,
        products=services.products,
        suppliers=services.suppliers,
        warehouses=services.warehouses,
        reservation_limits=services.reservation_limits,
    )


PostingContextDep = Annotated[PostingContext, Depends(get_posting_context)]
