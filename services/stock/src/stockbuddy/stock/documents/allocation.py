"""Allocates requested quantities to the lines of a document: returns to sale lines, receipts to the lines of purchase
orders and transfers."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Generic, Protocol, Self, TypeVar

from pydantic import model_validator

from stockbuddy.chassis.fields import Id, RequestBody
from stockbuddy.chassis.http.errors import Problem
from stockbuddy.contracts.numbers import quantity_number
from stockbuddy.stock.fields import Sku
from stockbuddy.stock.ledger import ZERO


class DocumentLine(Protocol):
    """What allocation reads of a line."""

    @property
    def id(self) -> int: ...

    @property
    def product_id(self) -> int: ...

    @property
    def sku(self) -> str: ...


class HasLineReference(RequestBody):
    """`line_id` selects a line of the document; `product_id` or `sku` all of its lines of that product, in order."""

    line_id: Id | None = None
    product_id: Id | None = None
    sku: Sku | None = None

    @model_validator(mode="after")
    def require_one_line_reference(self) -> Self:
        if sum(reference is not None for reference in (self.line_id, self.product_id, self.sku)) != 1:
            raise ValueError("exactly one of line_id, product_id and sku is required")
        return self

    def selects(self, line: DocumentLine) -> bool:
        is_sku = self.sku is not None and line.sku.lower() == self.sku.lower()
        return is_sku or line.id == self.line_id or line.product_id == self.product_id

    def excess(self, **quantities: Decimal) -> dict[str, Any]:
        """This reference with quantities, for the problem of a request that exceeds what is open."""
        reference = self.model_dump(exclude_none=True, include={"line_id", "product_id", "sku"})
        return reference | {name: quantity_number(quantity) for name, quantity in quantities.items()}


Line = TypeVar("Line", bound=DocumentLine)
Request = TypeVar("Request", bound=HasLineReference)


@dataclass(frozen=True, slots=True)
class Share(Generic[Line, Request]):
    """The part of a request that was allocated to one line."""

    line: Line
    request: Request
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Allocation(Generic[Line, Request]):
    """Shares in the order of the requests, and the quantities that exceed what is open."""

    shares: list[Share[Line, Request]] = field(default_factory=list)
    excesses: list[tuple[Request, Decimal]] = field(default_factory=list)


def allocate(
    lines: Sequence[Line],
    requests: Iterable[tuple[Request, Decimal]],
    open_quantity: Callable[[Line], Decimal],
    *,
    unknown_line: type[Problem],
    allow_excess: bool = False,
) -> Allocation[Line, Request]:
    """Fill the selected lines in order, each up to its open quantity; with `allow_excess` the last one takes the rest.
    Raises `unknown_line` for a request that selects no line."""
    left = {line.id: open_quantity(line) for line in lines}
    allocation: Allocation[Line, Request] = Allocation()
    for request, requested in requests:
        selected = [line for line in lines if request.selects(line)]
        if not selected:
            raise unknown_line()
        rest = requested
        for line in selected:
            takes_rest = allow_excess and line is selected[-1]
            quantity = rest if takes_rest else min(rest, left[line.id])
            if quantity > ZERO:
                allocation.shares.append(Share(line, request, quantity))
            left[line.id] = max(left[line.id] - quantity, ZERO)
            rest -= quantity
        if rest > ZERO:
            allocation.excesses.append((request, rest))
    return allocation
