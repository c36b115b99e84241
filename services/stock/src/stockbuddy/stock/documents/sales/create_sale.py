"""Sells: every line of a sale or none of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCommitted, SaleCompleted, SaleLine
from stockbuddy.stock.documents.customers.queries import find_customer
from stockbuddy.stock.documents.reservations.lifecycle import (
    ended,
    guard_of,
    hold_at_hand,
    letting_go,
    require_live,
    row_after,
)
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, MONEY_QUANTUM, line_total
from stockbuddy.stock.documents.sales.schemas import SaleCreate, SaleLineCreate
from stockbuddy.stock.errors import UnknownCustomer
from stockbuddy.stock.inventory.posting_context import PostingContext
from stockbuddy.stock.inventory.warehouses.warehouse_cache import WarehouseEntry
from stockbuddy.stock.ledger import (
    ZERO,
    Change,
    DocumentChanges,
    Entry,
    LevelKey,
    MovementType,
    Posting,
    PostingResult,
    Row,
)
from stockbuddy.stock.replicas.products.model import ProductReplica


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line whose price is settled before its stock is known to be there."""

    product: ProductReplica
    lot: int
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Selling:
    """Everything that is known of a sale before its stock is known to be there. `hold` is the reservation that it
    takes up."""

    context: PostingContext
    sale: SaleCreate
    warehouse: WarehouseEntry
    customer_id: int | None
    lines: Sequence[PricedLine]
    hold: ReservationResponse | None = None


async def draft_sale(context: PostingContext, sale: SaleCreate) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, UnknownCustomer, WarehouseForbidden; with a reservation, what
    `hold_at_hand` does."""
    hold = None if sale.reservation_id is None else await hold_at_hand(context, sale.reservation_id)
    return posting_of(await prepare_sale(context, sale, hold), lambda sold, _: sold.model_dump_json())


async def prepare_sale(context: PostingContext, sale: SaleCreate, hold: ReservationResponse | None) -> Selling:
    sold = sale.sold
    warehouse = await context.warehouse(sale.warehouse_reference)
    known = await context.products.load([line.product_reference for line in sold])
    lines = [price_line(position, line, known[line.product_reference]) for position, line in enumerate(sold)]
    if sum((line.total + line.discount for line in lines), ZERO) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", "come to more than can be recorded")
    return Selling(context, sale, warehouse, await _customer_id(context, sale), lines, hold)


Telling = Callable[[SaleCompleted, ReservationResponse | None], str]
"""The answer to a sale, given also the reservation as it is now."""


def posting_of(selling: Selling, tell: Telling, *, status: int = 201) -> Posting:
    sale, hold = selling.sale, selling.hold
    entries = [] if hold is None else letting_go(hold)
    entries += [
        Entry(
            LevelKey(line.product.id, selling.warehouse.id, line.lot),
            on_hand=-line.quantity,
            movement_type=MovementType.SALE,
            reference_number=sale.reference,
            occurred_at=sale.occurred_at,
        )
        for line in selling.lines
    ]
    return Posting(
        entries,
        lambda result: _build_changes(result, selling, tell, status),
        selling.context.key,
        checks=[] if hold is None else [guard_of(hold)],
        new_ids={"sale": 1, "sale_line": len(selling.lines)},
        document="sale",
    )


def price_line(position: int, line: SaleLineCreate, product: ProductReplica) -> PricedLine:
    unit_price = product.unit_price if line.unit_price is None else line.unit_price
    discount = line.discount or ZERO
    try:
        total = line_total(line.quantity, unit_price, discount)
    except ValueError as error:
        raise Unprocessable.field(f"lines.{position}.discount", str(error)) from error
    return PricedLine(product, line.lot, line.quantity, unit_price, discount, total)


async def _customer_id(context: PostingContext, sale: SaleCreate) -> int | None:
    if sale.customer_reference is None:
        return None
    async with context.database.reading() as session:
        customer = await find_customer(session, sale.customer_reference)
    if customer is None:
        raise UnknownCustomer()
    return customer.id


def _build_changes(result: PostingResult, selling: Selling, tell: Telling, status: int) -> DocumentChanges:
    sold = _completed(result, selling)
    inserts = {"sale": [_sale_row(sold)], "sale_line": _line_rows(sold)}
    if selling.hold is None:
        return DocumentChanges(StoredResponse(status, tell(sold, None)), inserts, events=[sold])
    require_live(selling.hold, result.recorded_at)
    hold = ended(selling.hold, "committed", result.recorded_at, sale_id=sold.id)
    return DocumentChanges(
        StoredResponse(status, tell(sold, hold)),
        inserts,
        updates={"reservation": [row_after(hold)]},
        events=[sold, ReservationCommitted(**dict(hold))],
    )


def _completed(result: PostingResult, selling: Selling) -> SaleCompleted:
    sale, caller = selling.sale, selling.context.caller
    # The entries that let the hold go come first.
    changes = result.accepted()[-len(selling.lines) :]
    sold = [
        _sold_line(line_id, line, change)
        for line_id, line, change in zip(result.ids["sale_line"], selling.lines, changes, strict=True)
    ]
    sale_id = result.ids["sale"][0]
    total = sum((line.total for line in sold), ZERO)
    cost = _cost(sold)
    return SaleCompleted.model_construct(
        id=sale_id,
        version=1,
        number=f"S-{sale_id:06d}",
        status="completed",
        warehouse_id=selling.warehouse.id,
        customer_id=selling.customer_id,
        reservation_id=None if selling.hold is None else selling.hold.id,
        payment_method=sale.payment_method,
        reference=sale.reference,
        notes=sale.notes,
        discount=sum((line.discount for line in sold), ZERO),
        total=total,
        refunded=ZERO,
        cost=cost,
        profit=None if cost is None else total - cost,
        sold_by=caller.user_id,
        seller=caller.username,
        occurred_at=sale.occurred_at or result.recorded_at,
        recorded_at=result.recorded_at,
        lines=sold,
    )


def _sold_line(line_id: int, line: PricedLine, change: Change) -> SaleLine:
    assert change.movement_id is not None
    return SaleLine.model_construct(
        id=line_id,
        product_id=line.product.id,
        sku=line.product.sku,
        name=line.product.name,
        lot=line.lot,
        quantity=line.quantity,
        unit_price=line.unit_price,
        discount=line.discount,
        total=line.total,
        unit_cost=change.unit_cost,
        returned=ZERO,
        refunded=ZERO,
        movement_id=change.movement_id,
    )


def _cost(lines: Sequence[SaleLine]) -> Decimal | None:
    """Of all lines together, or None when one's is unknown. Raises Unprocessable for more than can be recorded."""
    costs = [line.quantity * line.unit_cost for line in lines if line.unit_cost is not None]
    if sum(costs, ZERO) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", "cost more than can be recorded")
    return sum(costs, ZERO).quantize(MONEY_QUANTUM) if len(costs) == len(lines) else None


def _sale_row(sale: SaleCompleted) -> Row:
    return {name: getattr(sale, name) for name in SaleCompleted.model_fields if name != "lines"}


def _line_rows(sale: SaleCompleted) -> list[Row]:
    return [
        {"sale_id": sale.id, "position": position} | {name: getattr(line, name) for name in SaleLine.model_fields}
        for position, line in enumerate(sale.lines)
    ]
