"""Takes in the sales of tills that were offline: in their order, each for itself, each with a key of its own."""

import hashlib
import json
from collections.abc import Sequence
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
from stockbuddy.stock.documents.sales.create_sale import draft_sale
from stockbuddy.stock.documents.sales.schemas import OfflineSaleCreate
from stockbuddy.stock.inventory.posting_context import PostingContext

SINGLE_SALE = ("POST", "/api/v1/sales")
"""A key that was used for a single sale is the same sale in a batch."""


async def sell_batch(
    context: PostingContext, sales: Sequence[OfflineSaleCreate], originals: Sequence[dict[str, Any]]
) -> Response:
    """`originals` are the sales as they were sent, which is what their keys go by."""
    keys = [
        _key(context, sale, original, index)
        for index, (sale, original) in enumerate(zip(sales, originals, strict=True))
    ]
    desks = [context.with_key(key) for key in keys]
    outcomes = await context.ledger.submit_in_order(
        [(key, _drafter(each, sale)) for key, each, sale in zip(keys, desks, sales, strict=True)]
    )
    results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
    rejected = sum(isinstance(outcome, Problem) for outcome in outcomes)
    body = f'{{"posted":{len(results) - rejected},"rejected":{rejected},"results":[{",".join(results)}]}}'
    is_replay = all(isinstance(outcome, ReplayedResponse) for outcome in outcomes)
    headers = {REPLAYED_HEADER: "true"} if is_replay else None
    return Response(body, headers=headers, media_type="application/json")


def _drafter(context: PostingContext, sale: OfflineSaleCreate) -> Any:
    return lambda: draft_sale(context, sale)


def _key(context: PostingContext, sale: OfflineSaleCreate, original: dict[str, Any], index: int) -> IdempotencyKey | None:
    """The sale's own key, or else its place in a batch that has one."""
    if sale.idempotency_key is not None:
        name = sale.idempotency_key
    elif context.key is not None:
        name = f"batch/{hashlib.sha256(context.key.key.encode()).hexdigest()}/{index}"
    else:
        return None
    body = json.dumps({field: value for field, value in original.items() if field != "idempotency_key"})
    return IdempotencyKey(str(context.caller.user_id), name, fingerprint(*SINGLE_SALE, body.encode()))


def _result(index: int, outcome: StoredResponse | ReplayedResponse | Problem) -> str:
    if isinstance(outcome, Problem):
        return json.dumps({"index": index, "status": "rejected", "replayed": False, "problem": outcome.body()})
    is_replay = isinstance(outcome, ReplayedResponse)
    sale = outcome.stored.body if isinstance(outcome, ReplayedResponse) else outcome.body
    return f'{{"index":{index},"status":"posted","replayed":{json.dumps(is_replay)},"sale":{sale}}}'
