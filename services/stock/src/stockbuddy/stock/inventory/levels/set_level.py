"""Sets a level to a counted quantity, if its current quantity is the expected one."""

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.stock.inventory.levels.schemas import SetLevel, SetLevelResponse
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Entry, LevelKey, MovementType, Posting, PostingResult, Purpose


async def plan_set_level(context: PostingContext, body: SetLevel) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, WarehouseForbidden. The ledger: ProductForbidden, StaleQuantity."""
    product = await context.products.load_one(body.product_reference)
    warehouse = await context.warehouse(body.warehouse_reference)
    entry = Entry(
        LevelKey(product.id, warehouse.id, body.lot),
        set_to=body.quantity,
        expected=body.expected_quantity,
        movement_type=MovementType.ADJUSTMENT,
        reference_number=body.reference_number,
        notes=body.reason,
    )
    return Posting([entry], _build_changes, context.authority(Purpose.MOVEMENT), context.key)


def _build_changes(result: PostingResult) -> DocumentChanges:
    [change] = result.accepted()
    key = change.entry.level
    response = SetLevelResponse(
        product_id=key.product_id,
        sku=change.sku,
        warehouse_id=key.warehouse_id,
        lot=key.lot,
        before=change.before,
        on_hand=change.balance,
        reserved=change.reserved,
        available=change.balance - change.reserved,
        value=change.level_value,
        average_cost=change.average_cost,
        movement_id=change.movement_id,
        updated_at=result.recorded_at,
    )
    return DocumentChanges(StoredResponse(200, response.model_dump_json()))
