"""Approves a stock count: each level becomes the counted quantity plus the goods that have moved since.

Corrections made since are replaced, not added to: two counts that both found 8 of 10 leave 8.
"""

from stockbuddy.contracts.stock import CountApproved, CountLine
from stockbuddy.stock.documents.counts.commands import MAX_EVENT_LINES
from stockbuddy.stock.documents.counts.queries import get_count
from stockbuddy.stock.documents.counts.schemas import StockCountResponse
from stockbuddy.stock.documents.counts.snapshots import CurrentLevel, fetch_current_levels
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.errors import InvalidState
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import (
    Change,
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
    count, levels = await _load_open_count(context, count_id)
    # Also of lines without a difference, so that none arises meanwhile.
    counted = [line for line in count.lines if line.counted is not None and line.id in levels]
    return Posting(
        [_entry(count, line, levels[line.id]) for line in counted],
        lambda result: _build_changes(result, context, count, counted),
        context.authority(Purpose.MOVEMENT),
        context.key,
        checks=[VersionCheck("stock_count", count.id, count.version)],
        document=f"stock_count/{count.id}",
    )


def _entry(count: StockCountResponse, line: CountLine, level: CurrentLevel) -> Entry:
    assert line.counted is not None
    return Entry(
        LevelKey(line.product_id, count.warehouse_id, line.lot),
        on_hand=line.counted + level.moved - level.on_hand,
        movement_type=MovementType.ADJUSTMENT,
        reference_number=count.number,
        based_on=level.version,
    )


async def _load_open_count(
    context: PostingContext, count_id: int
) -> tuple[StockCountResponse, dict[int, CurrentLevel]]:
    async with context.database.reading() as session:
        count = await get_count(session, count_id)
        # The ledger checks only the lines that differ; the others end here, too.
        await require_owner_of(session, context.caller, [line.product_id for line in count.lines])
        levels = await fetch_current_levels(session, count_id, count.warehouse_id)
    await context.warehouse(count.warehouse_id)
    if count.status != "open":
        raise InvalidState("stock count", count.status, ["open"])
    return count, levels


def _build_changes(
    result: PostingResult, context: PostingContext, count: StockCountResponse, counted: list[CountLine]
) -> DocumentChanges:
    changes = {line.id: change for line, change in zip(counted, result.accepted(), strict=True)}
    lines = [_approve_line(line, changes[line.id]) if line.id in changes else line for line in count.lines]
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
        document_response(200, approved),
        updates={
            "stock_count": [row_of(approved, "id", "status", "ended_by", "ended_at")],
            "stock_count_line": [
                row_of(line, "id", "difference", "movement_id") for line in lines if line.counted is not None
            ],
        },
        events=[CountApproved(**dict(approved) | {"lines": event_lines})],
    )


def _approve_line(line: CountLine, change: Change) -> CountLine:
    difference = change.balance - change.before
    return line.model_copy(update={"difference": difference, "movement_id": change.movement_id})
