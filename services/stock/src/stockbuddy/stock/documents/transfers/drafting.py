"""Makes a transfer: what it will take is held at the source until it is shipped or cancelled."""

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import Answer
from stockbuddy.contracts.stock import TransferCreated, TransferLine
from stockbuddy.stock.documents.transfers.schemas import NewTransfer, NewTransferLine
from stockbuddy.stock.http.posting_context import Desk
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import ZERO, Conclusion, Effect, Entry, LevelKey, Posting, row_of
from stockbuddy.stock.replicas.products.ownership import require_owner
from stockbuddy.stock.replicas.products.queries import ProductReplica

LineOfProduct = tuple[NewTransferLine, ProductReplica]


async def draft_transfer(desk: Desk, transfer: NewTransfer) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, NotYourProduct, NotYourWarehouse, Unprocessable."""
    source = await desk.warehouse(transfer.source)
    destination = await desk.warehouses.find(transfer.destination)
    if source.id == destination.id:
        raise Unprocessable.field("to_warehouse_id", "is where the stock is already")
    known = await desk.products.find([line.product_reference for line in transfer.moved])
    lines = [(line, known[line.product_reference]) for line in transfer.moved]
    for _, product in lines:
        require_owner(desk.caller, product)
    return Posting(
        [
            Entry(LevelKey(product.id, source.id, line.lot), reserved=line.quantity, reason="transfer")
            for line, product in lines
        ],
        lambda effect: _conclude(effect, desk, transfer, source, destination, lines),
        desk.key,
        new_ids={"stock_transfer": 1, "stock_transfer_line": len(lines)},
    )


def _conclude(
    effect: Effect,
    desk: Desk,
    transfer: NewTransfer,
    source: WarehouseEntry,
    destination: WarehouseEntry,
    lines: list[LineOfProduct],
) -> Conclusion:
    transfer_id = effect.ids["stock_transfer"][0]
    event = TransferCreated(
        id=transfer_id,
        version=1,
        number=f"T-{transfer_id:06d}",
        status="pending",
        from_warehouse_id=source.id,
        to_warehouse_id=destination.id,
        transfer_reference=transfer.transfer_reference,
        notes=transfer.notes,
        created_by=desk.caller.user_id,
        created_at=effect.recorded_at,
        lines=[
            _line(line_id, line, product)
            for line_id, (line, product) in zip(effect.ids["stock_transfer_line"], lines, strict=True)
        ],
    )
    header = [name for name in TransferCreated.model_fields if name != "lines"]
    columns = [name for name in TransferLine.model_fields if name != "in_transit"]
    rows = [
        {"transfer_id": transfer_id, "position": position, **row_of(line, *columns)}
        for position, line in enumerate(event.lines)
    ]
    return Conclusion(
        Answer(201, event.model_dump_json()),
        inserts={"stock_transfer": [row_of(event, *header)], "stock_transfer_line": rows},
        events=[event],
    )


def _line(line_id: int, line: NewTransferLine, product: ProductReplica) -> TransferLine:
    return TransferLine(
        id=line_id,
        product_id=product.id,
        sku=product.sku,
        name=product.name,
        lot=line.lot,
        quantity=line.quantity,
        shipped=ZERO,
        received=ZERO,
        damaged=ZERO,
        returned=ZERO,
        written_off=ZERO,
        in_transit=ZERO,
    )
