"""Reverses a movement by a second one with the opposite quantity; both remain in the ledger."""

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.stock.errors import NotReversible
from stockbuddy.stock.inventory.movements.opening_stock import OPENING_DOCUMENT
from stockbuddy.stock.inventory.movements.queries import get_movement
from stockbuddy.stock.inventory.movements.schemas import ReverseMovement
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Entry, LevelKey, MovementType, Posting, PostingResult, Purpose


async def plan_reversal(context: PostingContext, movement_id: int, body: ReverseMovement) -> Posting:
    """Raises NotFound, NotReversible, WarehouseForbidden; the ledger raises ProductForbidden, AlreadyReversed."""
    async with context.database.reading() as session:
        movement = await get_movement(session, movement_id)
    await context.warehouse(movement.warehouse_id)
    belongs_to_document = movement.document is not None and not movement.document.startswith(OPENING_DOCUMENT)
    if belongs_to_document or movement.reverses_id is not None:
        raise NotReversible()
    entry = Entry(
        LevelKey(movement.product_id, movement.warehouse_id, movement.lot),
        on_hand=-movement.quantity,
        movement_type=MovementType.ADJUSTMENT,
        unit_cost=movement.unit_cost,
        value=None if movement.unit_cost is None else abs(movement.value - movement.correction),
        reference_number=movement.reference_number,
        notes=body.notes or f"reverses movement {movement.id}",
        reverses_id=movement.id,
    )
    return Posting([entry], _build_changes, context.authority(Purpose.MOVEMENT), context.key)


def _build_changes(result: PostingResult) -> DocumentChanges:
    [change] = result.accepted()
    assert change.movement is not None
    return DocumentChanges(StoredResponse(201, change.movement))
