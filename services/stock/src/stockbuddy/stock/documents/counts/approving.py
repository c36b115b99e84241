"""Posts the differences that a count has found, on top of whatever has happened since it was opened."""

from decimal import Decimal

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.contracts.stock import CountApproved, CountLine
from stockbuddy.stock.documents.counts.commands import LINES_TOLD
from stockbuddy.stock.documents.counts.queries import find_count
from stockbuddy.stock.documents.counts.schemas import CountView
from stockbuddy.stock.errors import WrongState
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.ledger import Conclusion, Effect, Entry, Guard, LevelKey, MovementType, Posting, row_of
from stockbuddy.stock.replicas.products.ownership import require_owner_of


async def draft_approval(desk: Desk, count_id: int) -> Posting:
    """Raises NotFound, WrongState, NotYourProduct, NotYourWarehouse. Lines that nobody has counted stay as they are."""
    async with desk.database.reading() as session:
        count = await find_count(session, count_id)
        if count is None:
            raise NotFound()
        await require_owner_of(session, desk.caller, [line.product_id for line in count.lines])
    await desk.warehouse(count.warehouse_id)
    if count.status != "open":
        raise WrongState(count.status)
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
        lambda effect: _conclude(effect, desk, count, differing),
        desk.key,
        guards=[Guard("stock_count", count.id, count.version)],
        document=f"stock_count/{count.id}",
    )


def _difference(line: CountLine) -> Decimal:
    assert line.counted is not None
    return line.counted - line.expected


def _conclude(effect: Effect, desk: Desk, count: CountView, differing: list[CountLine]) -> Conclusion:
    movement_ids = {line.id: change.movement_id for line, change in zip(differing, effect.made(), strict=True)}
    lines = [
        line
        if line.counted is None
        else line.model_copy(update={"difference": _difference(line), "movement_id": movement_ids.get(line.id)})
        for line in count.lines
    ]
    after = count.model_copy(
        update={
            "version": count.version + 1,
            "status": "approved",
            "ended_by": desk.caller.user_id,
            "ended_at": effect.recorded_at,
            "lines": lines,
        }
    )
    told = [line for line in lines if line.difference][:LINES_TOLD]
    return Conclusion(
        Answer(200, after.model_dump_json()),
        updates={
            "stock_count": [row_of(after, "id", "status", "ended_by", "ended_at")],
            "stock_count_line": [
                row_of(line, "id", "difference", "movement_id") for line in lines if line.counted is not None
            ],
        },
        events=[CountApproved(**dict(after) | {"lines": told})],
    )
