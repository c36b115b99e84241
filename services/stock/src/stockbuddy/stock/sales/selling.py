"""Sells: every line of a sale or none of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from stockbuddy.chassis.errors import Unprocessable
from stockbuddy.chassis.idempotency import Answer
from stockbuddy.contracts.stock import SaleCompleted, SaleLine
from stockbuddy.stock.customers.queries import find_customer
from stockbuddy.stock.desk import Desk
from stockbuddy.stock.errors import UnknownCustomer
from stockbuddy.stock.ledger import ZERO, Change, Conclusion, Effect, Entry, LevelKey, MovementType, Posting, Row
from stockbuddy.stock.products.queries import KnownProduct
from stockbuddy.stock.sales.pricing import line_total
from stockbuddy.stock.sales.schemas import NewSale, NewSaleLine
from stockbuddy.stock.warehouses.directory import KnownWarehouse


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line whose price is settled before its stock is known to be there."""

    product: KnownProduct
    lot: int
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    total: Decimal


async def draft_sale(desk: Desk, sale: NewSale) -> Posting:
    """Raises UnknownProduct, UnknownWarehouse, UnknownCustomer, NotYourWarehouse."""
    sold = sale.sold
    warehouse = await desk.warehouse(sale.warehouse_reference)
    known = await desk.products.find([line.product_reference for line in sold])
    lines = [price_line(position, line, known[line.product_reference]) for position, line in enumerate(sold)]
    customer_id = await _customer_id(desk, sale)
    return Posting(
        [
            Entry(
                LevelKey(line.product.id, warehouse.id, line.lot),
                on_hand=-line.quantity,
                movement_type=MovementType.SALE,
                reference_number=sale.reference,
                occurred_at=sale.occurred_at,
            )
            for line in lines
        ],
        lambda effect: conclude_sale(effect, desk, sale, warehouse, customer_id, lines),
        desk.key,
        new_ids={"sale": 1, "sale_line": len(lines)},
        document="sale",
    )


def price_line(position: int, line: NewSaleLine, product: KnownProduct) -> PricedLine:
    unit_price = product.unit_price if line.unit_price is None else line.unit_price
    discount = line.discount or ZERO
    try:
        total = line_total(line.quantity, unit_price, discount)
    except ValueError as error:
        raise Unprocessable.field(f"lines.{position}.discount", str(error)) from error
    return PricedLine(product, line.lot, line.quantity, unit_price, discount, total)


async def _customer_id(desk: Desk, sale: NewSale) -> int | None:
    if sale.customer_reference is None:
        return None
    async with desk.database.reading() as session:
        customer = await find_customer(session, sale.customer_reference)
    if customer is None:
        raise UnknownCustomer()
    return customer.id


def conclude_sale(
    effect: Effect,
    desk: Desk,
    sale: NewSale,
    warehouse: KnownWarehouse,
    customer_id: int | None,
    lines: Sequence[PricedLine],
) -> Conclusion:
    sold = [
        _sold_line(line_id, line, change)
        for line_id, line, change in zip(effect.ids["sale_line"], lines, effect.made(), strict=True)
    ]
    sale_id = effect.ids["sale"][0]
    total = sum((line.total for line in sold), ZERO)
    cost = _cost(sold)
    event = SaleCompleted.model_construct(
        id=sale_id,
        version=1,
        number=f"S-{sale_id:06d}",
        status="completed",
        warehouse_id=warehouse.id,
        customer_id=customer_id,
        reservation_id=None,
        payment_method=sale.payment_method,
        reference=sale.reference,
        notes=sale.notes,
        discount=sum((line.discount for line in sold), ZERO),
        total=total,
        refunded=ZERO,
        cost=cost,
        profit=None if cost is None else total - cost,
        sold_by=desk.caller.user_id,
        seller=desk.caller.username,
        occurred_at=sale.occurred_at or effect.recorded_at,
        recorded_at=effect.recorded_at,
        lines=sold,
    )
    return Conclusion(
        Answer(201, event.model_dump_json()),
        inserts={"sale": [_sale_row(event)], "sale_line": _line_rows(event)},
        events=[event],
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
    """Of all lines together, or None when one's is unknown."""
    costs = [line.quantity * line.unit_cost for line in lines if line.unit_cost is not None]
    return sum(costs, ZERO).quantize(Decimal("0.0001")) if len(costs) == len(lines) else None


def _sale_row(sale: SaleCompleted) -> Row:
    return {name: getattr(sale, name) for name in SaleCompleted.model_fields if name != "lines"}


def _line_rows(sale: SaleCompleted) -> list[Row]:
    return [
        {"sale_id": sale.id, "position": position} | {name: getattr(line, name) for name in SaleLine.model_fields}
        for position, line in enumerate(sale.lines)
    ]
