"""Reverses a movement by another one: a mistake stays in the ledger, and what undoes it too."""

from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.stock.errors import NotReversible
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.inventory.movements.queries import find_movement
from stockbuddy.stock.inventory.movements.schemas import NewReversal
from stockbuddy.stock.ledger import Conclusion, Effect, Entry, LevelKey, MovementType, Posting
from stockbuddy.stock.replicas.products.ownership import require_owner_of

STANDALONE = ("opening/",)
"""Documents that are nothing but their movement."""


async def draft_reversal(desk: Desk, movement_id: int, reversal: NewReversal) -> Posting:
    """Raises NotFound, NotReversible, NotYourWarehouse, NotYourProduct; the ledger raises AlreadyReversed."""
    async with desk.database.reading() as session:
        movement = await find_movement(session, movement_id)
        if movement is None:
            raise NotFound()
        await require_owner_of(session, desk.caller, [movement.product_id])
    await desk.warehouse(movement.warehouse_id)
    belongs = movement.document is not None and not movement.document.startswith(STANDALONE)
    if belongs or movement.reverses_id is not None:
        raise NotReversible()
    entry = Entry(
        LevelKey(movement.product_id, movement.warehouse_id, movement.lot),
        on_hand=-movement.quantity,
        movement_type=MovementType.ADJUSTMENT,
        unit_cost=movement.unit_cost,
        reference_number=movement.reference_number,
        notes=reversal.notes or f"reverses movement {movement.id}",
        reverses_id=movement.id,
    )
    return Posting([entry], _conclude, desk.key)


def _conclude(effect: Effect) -> Conclusion:
    [change] = effect.made()
    assert change.movement is not None
    return Conclusion(Answer(201, change.movement))
