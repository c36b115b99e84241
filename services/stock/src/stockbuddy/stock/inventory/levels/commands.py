"""Sets a level to what was counted, if it still holds what the counter believed."""

from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.inventory.levels.schemas import LevelAfter, NewCount
from stockbuddy.stock.ledger import Conclusion, Effect, Entry, LevelKey, MovementType, Posting
from stockbuddy.stock.replicas.products.ownership import require_owner


async def draft_count(desk: Desk, count: NewCount) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, NotYourProduct, NotYourWarehouse; the ledger raises StaleQuantity."""
    known = await desk.products.find([count.product_reference])
    product = known[count.product_reference]
    require_owner(desk.caller, product)
    warehouse = await desk.warehouse(count.warehouse_reference)
    entry = Entry(
        LevelKey(product.id, warehouse.id, count.lot),
        set_to=count.quantity,
        expected=count.expected_quantity,
        movement_type=MovementType.ADJUSTMENT,
        reference_number=count.reference_number,
        notes=count.reason,
    )
    return Posting([entry], _conclude, desk.key)


def _conclude(effect: Effect) -> Conclusion:
    [change] = effect.made()
    key = change.entry.level
    after = LevelAfter(
        product_id=key.product_id,
        sku=change.sku,
        warehouse_id=key.warehouse_id,
        lot=key.lot,
        before=change.before,
        on_hand=change.balance,
        reserved=change.reserved,
        available=change.balance - change.reserved,
        average_cost=change.average_cost,
        movement_id=change.movement_id,
        updated_at=effect.recorded_at,
    )
    return Conclusion(Answer(200, after.model_dump_json()))
