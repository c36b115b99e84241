"""Makes a transfer: what it will take is held at the source until it is shipped or cancelled."""

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import TransferCreated, TransferLine
from stockbuddy.stock.documents.transfers.schemas import TransferCreate, TransferLineCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import ZERO, DocumentChanges, Entry, LevelKey, Posting, PostingResult, row_of
from stockbuddy.stock.replicas.products.model import ProductReplica
from stockbuddy.stock.replicas.products.ownership import require_owner

LineOfProduct = tuple[TransferLineCreate, ProductReplica]


async def draft_transfer(context: PostingContext, transfer: TransferCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, ProductForbidden, WarehouseForbidden, Unprocessable."""
    source = await context.warehouse(transfer.source)
    destination = await context.warehouses.load(transfer.destination)
    if source.id == destination.id:
        raise Unprocessable.field("to_warehouse_id", "is where the stock is already")
    known = await context.products.load([line.product_reference for line in transfer.moved])
    lines = [(line, known[line.product_reference]) for line in transfer.moved]
    for _, product in lines:
        require_owner(context.caller, product)
    return Posting(
        [
            Entry(LevelKey(product.id, source.id, line.lot), reserved=line.quantity, reason="transfer")
            for line, product in lines
        ],
        lambda result: _build_changes(result, context, transfer, source, destination, lines),
        context.key,
        new_ids={"stock_transfer": 1, "stock_transfer_line": len(lines)},
    )


def _build_changes(
    result: PostingResult,
    context: PostingContext,
    transfer: TransferCreate,
    source: WarehouseEntry,
    destination: WarehouseEntry,
    lines: list[LineOfProduct],
) -> DocumentChanges:
    transfer_id = result.ids["stock_transfer"][0]
    event = TransferCreated(
        id=transfer_id,
        version=1,
        number=f"T-{transfer_id:06d}",
        status="pending",
        from_warehouse_id=source.id,
        to_warehouse_id=destination.id,
        transfer_reference=transfer.transfer_reference,
        notes=transfer.notes,
        created_by=context.caller.user_id,
        created_at=result.recorded_at,
        lines=[
            _line(line_id, line, product)
            for line_id, (line, product) in zip(result.ids["stock_transfer_line"], lines, strict=True)
        ],
    )
    header = [name for name in TransferCreated.model_fields if name != "lines"]
    columns = [name for name in TransferLine.model_fields if name != "in_transit"]
    rows = [
        {"transfer_id": transfer_id, "position": position, **row_of(line, *columns)}
        for position, line in enumerate(event.lines)
    ]
    return DocumentChanges(
        StoredResponse(201, event.model_dump_json()),
        inserts={"stock_transfer": [row_of(event, *header)], "stock_transfer_line": rows},
        events=[event],
    )


def _line(line_id: int, line: TransferLineCreate, product: ProductReplica) -> TransferLine:
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
