"""Creates a sale, all of its lines or none: load, price, plan the entries, build rows and events, respond."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import require
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.chassis.http.idempotency import StoredResponse
from stockbuddy.contracts.stock import ReservationCommitted, SaleCompleted, SaleLine
from stockbuddy.stock.documents.customers.queries import find_customers
from stockbuddy.stock.documents.lines import header_row, line_rows
from stockbuddy.stock.documents.pricing import MAX_AMOUNT, TOO_LARGE, line_total, minor_unit
from stockbuddy.stock.documents.reservations.lifecycle import (
    end_reservation,
    load_active_reservation,
    release_entries,
    require_not_expired,
    require_reserver,
    updated_row,
    version_check,
)
from stockbuddy.stock.documents.reservations.schemas import ReservationResponse
from stockbuddy.stock.documents.responses import document_response
from stockbuddy.stock.documents.sales.costs import total_cost
from stockbuddy.stock.documents.sales.discounts import require_discounts
from stockbuddy.stock.documents.sales.schemas import SaleCreate, SaleLineCreate
from stockbuddy.stock.errors import AmbiguousCustomer, UnknownCustomer
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
    Purpose,
)
from stockbuddy.stock.replicas.products.activity import require_active
from stockbuddy.stock.replicas.products.model import ProductReplica


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A sale line with its final price, before availability is checked."""

    product: ProductReplica
    lot: int
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class SalePlan:
    """A validated and priced sale, ready to be posted. `reservation` is the reservation it consumes, if any."""

    context: PostingContext
    body: SaleCreate
    warehouse: WarehouseEntry
    customer_id: int | None
    lines: Sequence[PricedLine]
    reservation: ReservationResponse | None


ToResponse = Callable[[SaleCompleted, ReservationResponse | None], StoredResponse]
"""Builds the response from the sale, and from the reservation that it has consumed, if any."""


async def plan_sale(context: PostingContext, body: SaleCreate) -> Posting:
    """Raises UnknownProduct, ProductInactive, UnknownWarehouse, UnknownCustomer, AmbiguousCustomer, WarehouseForbidden,
    Unprocessable; with a reservation, ReservationForbidden and what `load_active_reservation` does."""
    reservation = None if body.reservation_id is None else await load_active_reservation(context, body.reservation_id)
    return to_posting(await load_plan(context, body, reservation), _sale_response)


def _sale_response(sale: SaleCompleted, _: ReservationResponse | None) -> StoredResponse:
    return document_response(201, sale)


async def load_plan(context: PostingContext, body: SaleCreate, reservation: ReservationResponse | None) -> SalePlan:
    """Raises DiscountForbidden, and ReservationForbidden if a part of another user's reservation would be released."""
    warehouse = await context.warehouse(body.warehouse_reference)
    reserved_ids = [] if reservation is None else [line.product_id for line in reservation.lines]
    references = [line.product_reference for line in body.sold_lines]
    products = await context.products.load(references, include_deleted=reserved_ids, at=body.occurred_at)
    require_active(products.values(), at=body.occurred_at, except_ids=reserved_ids)
    lines = [_price(index, line, products[line.product_reference]) for index, line in enumerate(body.sold_lines)]
    if sum((line.total + line.discount for line in lines), ZERO) >= MAX_AMOUNT:
        raise Unprocessable.field("lines", TOO_LARGE, "amount_too_large")
    require_discounts(context.caller, lines)
    if reservation is not None and _releases_stock(reservation, warehouse.id, lines):
        require_reserver(context, reservation)
    return SalePlan(context, body, warehouse, await _load_customer_id(context, body), lines, reservation)


def _releases_stock(reservation: ReservationResponse, warehouse_id: int, lines: Sequence[PricedLine]) -> bool:
    """Whether the sale takes less of a level than was reserved."""
    rest: defaultdict[LevelKey, Decimal] = defaultdict(Decimal)
    for reserved in reservation.lines:
        rest[LevelKey(reserved.product_id, reserved.warehouse_id, reserved.lot)] += reserved.quantity
    for line in lines:
        rest[LevelKey(line.product.id, warehouse_id, line.lot)] -= line.quantity
    return any(quantity > ZERO for quantity in rest.values())


def _price(index: int, line: SaleLineCreate, product: ProductReplica) -> PricedLine:
    unit_price = product.unit_price if line.unit_price is None else line.unit_price
    discount = line.discount or ZERO
    try:
        total = line_total(line.quantity, unit_price, discount, minor_unit(product.currency))
    except ValueError as error:
        raise Unprocessable.field(f"lines.{index}.discount", error) from error
    return PricedLine(product, line.lot, line.quantity, unit_price, discount, total)


async def _load_customer_id(context: PostingContext, body: SaleCreate) -> int | None:
    """Raises Forbidden for a name, which would tell whether there is such a customer, UnknownCustomer, or
    AmbiguousCustomer."""
    if body.customer_reference is None:
        return None
    if isinstance(body.customer_reference, str):
        require(context.caller, Permission.CUSTOMER_READ)
    async with context.database.reading() as session:
        customers = await find_customers(session, body.customer_reference)
    if not customers:
        raise UnknownCustomer()
    if len(customers) > 1:
        raise AmbiguousCustomer([{"id": customer.id, "name": customer.name} for customer in customers])
    return customers[0].id


def to_posting(plan: SalePlan, to_response: ToResponse) -> Posting:
    return Posting(
        _entries(plan),
        lambda result: _build_changes(result, plan, to_response),
        plan.context.authority(Purpose.SALE),
        plan.context.key,
        checks=[] if plan.reservation is None else [version_check(plan.reservation)],
        new_ids={"sale": 1, "sale_line": len(plan.lines)},
        document="sale",
    )


def _entries(plan: SalePlan) -> list[Entry]:
    # The reservation is released first, so that its stock is available to the sale.
    released = [] if plan.reservation is None else release_entries(plan.reservation)
    return released + [
        Entry(
            LevelKey(line.product.id, plan.warehouse.id, line.lot),
            on_hand=-line.quantity,
            movement_type=MovementType.SALE,
            reference_number=plan.body.reference,
            occurred_at=plan.body.occurred_at,
        )
        for line in plan.lines
    ]


def _build_changes(result: PostingResult, plan: SalePlan, to_response: ToResponse) -> DocumentChanges:
    sale = _build_sale(result, plan)
    inserts = {"sale": [header_row(sale)], "sale_line": line_rows(sale.lines, sale_id=sale.id)}
    if plan.reservation is None:
        return DocumentChanges(to_response(sale, None), inserts, events=[sale])
    require_not_expired(plan.reservation, result.recorded_at)
    reservation = end_reservation(plan.reservation, "committed", result.recorded_at, sale_id=sale.id)
    return DocumentChanges(
        to_response(sale, reservation),
        inserts,
        updates={"reservation": [updated_row(reservation)]},
        events=[sale, ReservationCommitted(**dict(reservation))],
    )


def _build_sale(result: PostingResult, plan: SalePlan) -> SaleCompleted:
    # The entries of the sale come after those of the reservation.
    changes = result.accepted()[-len(plan.lines) :]
    lines = [
        _build_line(line_id, line, change)
        for line_id, line, change in zip(result.ids["sale_line"], plan.lines, changes, strict=True)
    ]
    sale_id, total, cost = result.new_id("sale"), sum((line.total for line in lines), ZERO), _cost(lines)
    return SaleCompleted.model_construct(
        id=sale_id,
        version=1,
        number=f"S-{sale_id:06d}",
        status="completed",
        warehouse_id=plan.warehouse.id,
        customer_id=plan.customer_id,
        reservation_id=None if plan.reservation is None else plan.reservation.id,
        payment_method=plan.body.payment_method,
        reference=plan.body.reference,
        notes=plan.body.notes,
        discount=sum((line.discount for line in lines), ZERO),
        total=total,
        refunded=ZERO,
        cost=cost,
        profit=None if cost is None else total - cost,
        sold_by=plan.context.caller.user_id,
        seller=plan.context.caller.username,
        occurred_at=plan.body.occurred_at or result.recorded_at,
        recorded_at=result.recorded_at,
        voided_at=None,
        lines=lines,
    )


def _build_line(line_id: int, line: PricedLine, change: Change) -> SaleLine:
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
        cost=None if change.unit_cost is None else -change.value,
        returned=ZERO,
        refunded=ZERO,
        cost_returned=ZERO,
        movement_id=change.movement_id,
    )


def _cost(lines: Sequence[SaleLine]) -> Decimal | None:
    """The cost of all lines, None if one is unknown. Raises Unprocessable for more than can be stored."""
    cost = total_cost(lines)
    if cost is not None and cost >= MAX_AMOUNT:
        raise Unprocessable.field("lines", f"cost {TOO_LARGE}", "amount_too_large")
    return cost
