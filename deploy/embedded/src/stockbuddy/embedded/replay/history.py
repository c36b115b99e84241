"""Parses a retailer's invoice lines. Every line becomes part of an invoice or is rejected with a reason."""

import csv
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

DEFAULT_COLUMNS: Mapping[str, str] = {
    "invoice": "InvoiceNo",
    "sku": "StockCode",
    "name": "Description",
    "quantity": "Quantity",
    "date": "InvoiceDate",
    "price": "UnitPrice",
    "customer": "CustomerID",
}
"""Field → column of the file."""

MERCHANDISE = re.compile(r"(\d{5}[A-Z]{0,2}|DCGS\w+)", re.IGNORECASE)
"""Stock codes of products; others are postage, fees, discounts, vouchers and manual corrections."""
CANCELLATION_PREFIX = "C"


class LineRejected(Exception):
    """The message is the reason that the report counts the line under."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line that can be posted; `quantity` is positive, also in a cancellation."""

    number: int
    """Line number in the file without its header, from 1."""
    invoice: str
    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    occurred_at: datetime
    customer: str | None


@dataclass(slots=True)
class Invoice:
    """A sale, or a cancellation of earlier sales."""

    number: str
    lines: list[Line] = field(default_factory=list)

    @property
    def is_cancellation(self) -> bool:
        return self.number.upper().startswith(CANCELLATION_PREFIX)


@dataclass(slots=True)
class History:
    """Invoices in the order of the file; reasons of rejected lines by line number."""

    invoices: list[Invoice] = field(default_factory=list)
    rejected: dict[int, str] = field(default_factory=dict)
    lines_read: int = 0


def read_history(path: Path, columns: Mapping[str, str] = DEFAULT_COLUMNS) -> History:
    """Read CSV or CSV.gz. Raises ValueError if a column is missing."""
    history = History()
    invoices: dict[str, Invoice] = {}
    with _open(path) as file:
        for number, row in _rows(file, columns):
            history.lines_read += 1
            try:
                line = _parse_line(number, row)
            except LineRejected as error:
                history.rejected[number] = str(error)
                continue
            invoice = invoices.get(line.invoice)
            if invoice is None:
                invoice = invoices[line.invoice] = Invoice(line.invoice)
                history.invoices.append(invoice)
            invoice.lines.append(line)
    return history


def _open(path: Path) -> TextIO:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", errors="replace", newline="")
    return path.open(encoding="utf-8-sig", errors="replace", newline="")


def _rows(file: TextIO, columns: Mapping[str, str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    reader = csv.DictReader(file)
    if missing := [column for column in columns.values() if column not in (reader.fieldnames or [])]:
        raise ValueError(f"the file has no column {', '.join(missing)}; it has {', '.join(reader.fieldnames or [])}")
    for number, row in enumerate(reader, start=1):
        yield number, {name: (row.get(column) or "").strip() for name, column in columns.items()}


def _parse_line(number: int, row: Mapping[str, str]) -> Line:
    quantity = _parse_decimal(row["quantity"], "quantity")
    price = _parse_decimal(row["price"], "price")
    if not row["invoice"] or not row["sku"]:
        raise LineRejected("no invoice number or stock code")
    if not MERCHANDISE.fullmatch(row["sku"]):
        raise LineRejected("not merchandise (postage, fee, discount, voucher, correction)")
    if not row["name"]:
        raise LineRejected("no product name")
    if price == 0:
        raise LineRejected("price is zero")
    if price < 0:
        raise LineRejected("price is negative")
    is_cancellation = row["invoice"].upper().startswith(CANCELLATION_PREFIX)
    if quantity == 0:
        raise LineRejected("quantity is zero")
    if is_cancellation != (quantity < 0):
        raise LineRejected(
            "cancellation with a positive quantity" if is_cancellation else "negative quantity on a sale"
        )
    return Line(
        number=number,
        invoice=row["invoice"],
        sku=row["sku"].upper(),
        name=row["name"],
        quantity=abs(quantity),
        unit_price=price,
        occurred_at=_parse_time(row["date"]),
        customer=row["customer"].removesuffix(".0") or None,
    )


def _parse_decimal(text: str, what: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise LineRejected(f"{what} is not a number") from error
    if not number.is_finite():
        raise LineRejected(f"{what} is not a number")
    return number


def _parse_spreadsheet_time(text: str) -> datetime:
    return datetime.strptime(f"{text} +0000", "%m/%d/%Y %H:%M %z")


def _parse_time(text: str) -> datetime:
    """ISO 8601, or `M/D/YYYY H:MM` as in spreadsheets; UTC if there is no offset."""
    for parse in (datetime.fromisoformat, _parse_spreadsheet_time):
        try:
            moment = parse(text)
        except ValueError:
            continue
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    raise LineRejected("date is invalid")
