"""Approves a stock count: posts its differences in addition to the movements made since the snapshot."""

from decimal import Decimal

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import CountApproved, CountLine
from stockbuddy.stock.documents.counts.commands import MAX_EVENT_LINES
from stockbuddy.stock.documents.counts.queries import get_count
from stockbuddy.stock.documents.counts.schemas import StockCountResponse
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
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
from stockbuddy.stock.replicas.products.ownership import require_owner_of


async def plan_approval(context: PostingContext, count_id: int) -> Posting:
    """Lines without a counted quantity are not posted. Raises NotFound, InvalidState, ProductForbidden,
    WarehouseForbidden."""
    count = await _load_open_count(context, count_id)
    differing = [line for line in count.lines if line.counted is not None and line.counted != line.expected]
    entries = [
        Entry(
            LevelKey(line.product_id, count.warehouse_id, line.lot),
            on_hand=_difference(line),
            movement_type=MovementType.ADJUSTMENT,
            reference_number=count.number,
        )
        for line in differing
    ]
    return Posting(
        entries,
        lambda result: _build_changes(result, context, count, differing),
        context.authority(Purpose.MOVEMENT),
        context.key,
        checks=[VersionCheck("stock_count", count.id, count.version)],
        document=f"stock_count/{count.id}",
    )


async def _load_open_count(context: PostingContext, count_id: int) -> StockCountResponse:
    async with context.database.reading() as session:
        count = await get_count(session, count_id)
        # The ledger checks only the lines that differ; the others end here, too.
        await require_owner_of(session, context.caller, [line.product_id for line in count.lines])
    await context.warehouse(count.warehouse_id)
    if count.status != "open":
        raise InvalidState("stock count", count.status, ["open"])
    return count


def _difference(line: CountLine) -> Decimal:
    assert line.counted is not None
    return line.counted - line.expected


def _build_changes(
    result: PostingResult, context: PostingContext, count: StockCountResponse, differing: list[CountLine]
) -> DocumentChanges:
    movement_ids = {line.id: change.movement_id for line, change in zip(differing, result.accepted(), strict=True)}
    lines = [
        line
        if line.counted is None
        else line.model_copy(update={"difference": _difference(line), "movement_id": movement_ids.get(line.id)})
        for line in count.lines
    ]
    approved = count.model_copy(
        update={
            "version": count.version + 1,
            "status": "approved",
            "ended_by": context.caller.user_id,
            "ended_at": result.recorded_at,
            "lines": lines,
        }
    )
    event_lines = [line for line in lines if line.difference][:MAX_EVENT_LINES]
    return DocumentChanges(
        StoredResponse(200, approved.model_dump_json()),
        updates={
            "stock_count": [row_of(approved, "id", "status", "ended_by", "ended_at")],
            "stock_count_line": [
                row_of(line, "id", "difference", "movement_id") for line in lines if line.counted is not None
            ],
        },
        events=[CountApproved(**dict(approved) | {"lines": event_lines})],
    )
