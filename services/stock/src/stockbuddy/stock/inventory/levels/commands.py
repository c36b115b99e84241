"""Sets a level to what was counted, if it still holds what the counter believed."""

from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.stock.inventory.levels.schemas import LevelAfter, NewCount
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.ledger import DocumentChanges, Entry, LevelKey, MovementType, Posting, PostingResult
from stockbuddy.stock.replicas.products.ownership import require_owner


async def draft_count(context: PostingContext, count: NewCount) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, ProductForbidden, WarehouseForbidden; the ledger raises StaleQuantity."""
    known = await context.products.load([count.product_reference])
    product = known[count.product_reference]
    require_owner(context.caller, product)
    warehouse = await context.warehouse(count.warehouse_reference)
    entry = Entry(
        LevelKey(product.id, warehouse.id, count.lot),
        set_to=count.quantity,
        expected=count.expected_quantity,
        movement_type=MovementType.ADJUSTMENT,
        reference_number=count.reference_number,
        notes=count.reason,
    )
    return Posting([entry], _build_changes, context.key)


def _build_changes(result: PostingResult) -> DocumentChanges:
    [change] = result.accepted()
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
        updated_at=result.recorded_at,
    )
    return DocumentChanges(StoredResponse(200, after.model_dump_json()))
