"""Imports sales made offline: applied in order, each accepted or rejected on its own, with its own idempotency key."""

import hashlib
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

from fastapi import Response

from stockbuddy.chassis.http.errors import Problem
from stockbuddy.chassis.http.idempotency import (
    REPLAYED_HEADER,
    IdempotencyKey,
    ReplayedResponse,
    StoredResponse,
    fingerprint,
)
from stockbuddy.stock.documents.sales.create_sale import plan_sale
from stockbuddy.stock.documents.sales.schemas import OfflineSaleCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import Submission

SINGLE_SALE = ("POST", "/api/v1/sales")
"""Batch keys share the scope of `POST /sales`, so a sale retried inside a batch is recognised."""


async def import_sales(
    context: PostingContext, sales: Sequence[OfflineSaleCreate], raw_sales: Sequence[dict[str, Any]]
) -> Response:
    """`raw_sales`: the same sales as the client sent them; their keys are compared by these."""
    keys = [_key(context, index, sale, raw) for index, (sale, raw) in enumerate(zip(sales, raw_sales, strict=True))]
    outcomes = await context.ledger.submit_in_order(
        [
            Submission(key, partial(plan_sale, context.with_key(key), sale))
            for key, sale in zip(keys, sales, strict=True)
        ]
    )
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    rejected = sum(isinstance(outcome, Problem) for outcome in outcomes)
    # Joined as text, because every sale is JSON already.
    body = f'{{"posted":{len(results) - rejected},"rejected":{rejected},"results":[{",".join(results)}]}}'
    is_replay = all(isinstance(outcome, ReplayedResponse) for outcome in outcomes)
    headers = {REPLAYED_HEADER: "true"} if is_replay else None
    return Response(body, headers=headers, media_type="application/json")


def _key(
    context: PostingContext, index: int, sale: OfflineSaleCreate, raw_sale: dict[str, Any]
) -> IdempotencyKey | None:
    """The sale's own key, or one derived from the key of the batch and the sale's position."""
    if sale.idempotency_key is not None:
        name = sale.idempotency_key
    elif context.key is not None:
        name = f"batch/{hashlib.sha256(context.key.key.encode()).hexdigest()}/{index}"
    else:
        return None
    body = json.dumps({field: value for field, value in raw_sale.items() if field != "idempotency_key"})
    return IdempotencyKey(context.caller.credential, name, fingerprint(*SINGLE_SALE, body.encode()))


def _result(index: int, outcome: StoredResponse | ReplayedResponse | Problem) -> str:
    if isinstance(outcome, Problem):
        return json.dumps({"index": index, "status": "rejected", "replayed": False, "problem": outcome.body()})
    is_replay = isinstance(outcome, ReplayedResponse)
    sale = outcome.stored.body if isinstance(outcome, ReplayedResponse) else outcome.body
    return f'{{"index":{index},"status":"posted","replayed":{json.dumps(is_replay)},"sale":{sale}}}'
