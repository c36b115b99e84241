"""Creates a transfer: its stock is reserved at the source until it is shipped or cancelled."""

from dataclasses import dataclass

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.contracts.stock import TransferCreated, TransferLine
from stockbuddy.stock.documents.lines import header_row, line_rows
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.documents.transfers.schemas import TransferCreate, TransferLineCreate
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import ZERO, DocumentChanges, Entry, LevelKey, Posting, PostingResult, Purpose
from stockbuddy.stock.replicas.products.model import ProductReplica


@dataclass(frozen=True, slots=True)
class TransferPlan:
    """A validated transfer, before availability is checked."""

    context: PostingContext
    body: TransferCreate
    source: WarehouseEntry
    destination: WarehouseEntry
    lines: list[tuple[TransferLineCreate, ProductReplica]]


async def plan_transfer(context: PostingContext, body: TransferCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, WarehouseForbidden, Unprocessable; the ledger: ProductForbidden."""
    plan = await _load_plan(context, body)
    return Posting(
        [
            Entry(LevelKey(product.id, plan.source.id, line.lot), reserved=line.quantity, reason="transfer")
            for line, product in plan.lines
        ],
        lambda result: _build_changes(result, plan),
        context.authority(Purpose.MOVEMENT),
        context.key,
        refers_to=frozenset([plan.destination.id]),
        new_ids={"stock_transfer": 1, "stock_transfer_line": len(plan.lines)},
    )


async def _load_plan(context: PostingContext, body: TransferCreate) -> TransferPlan:
    source = await context.warehouse(body.source)
    destination = await context.warehouses.load(body.destination)
    if source.id == destination.id:
        raise Unprocessable.field("to_warehouse_id", "must differ from the source warehouse", "same_warehouse")
    products = await context.products.load([line.product_reference for line in body.transferred_lines])
    lines = [(line, products[line.product_reference]) for line in body.transferred_lines]
    return TransferPlan(context, body, source, destination, lines)


def _build_changes(result: PostingResult, plan: TransferPlan) -> DocumentChanges:
    transfer_id = result.new_id("stock_transfer")
    transfer = TransferCreated(
        id=transfer_id,
        version=1,
        number=f"T-{transfer_id:06d}",
        status="pending",
        from_warehouse_id=plan.source.id,
        to_warehouse_id=plan.destination.id,
        transfer_reference=plan.body.transfer_reference,
        notes=plan.body.notes,
        created_by=plan.context.caller.user_id,
        created_at=result.recorded_at,
        lines=[
            _build_line(line_id, line, product)
            for line_id, (line, product) in zip(result.ids["stock_transfer_line"], plan.lines, strict=True)
        ],
    )
    return DocumentChanges(
        document_response(201, transfer),
        inserts={
            "stock_transfer": [header_row(transfer)],
            # in_transit is a generated column.
            "stock_transfer_line": line_rows(transfer.lines, exclude="in_transit", transfer_id=transfer_id),
        },
        events=[transfer],
    )


def _build_line(line_id: int, line: TransferLineCreate, product: ProductReplica) -> TransferLine:
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
        value_in_transit=ZERO,
    )
