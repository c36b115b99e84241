"""Parsing of invoice lines, matching of cancellations, and opening stock."""

import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from stockbuddy.embedded.replay.cancellations import NO_MATCHING_SALE, match_cancellations
from stockbuddy.embedded.replay.history import History, read_history
from stockbuddy.embedded.replay.products import plan_products

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"
WHEN = "2010-12-01T08:26:00"


def history_of(tmp_path: Path, *lines: str) -> History:
    path = tmp_path / "history.csv"
    path.write_text(HEADER + "".join(f"{line}\n" for line in lines))
    return read_history(path)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (f"1,POST,POSTAGE,1,{WHEN},18.00,7", "not merchandise (postage, fee, discount, voucher, correction)"),
        (f"1,10001,,1,{WHEN},1.00,7", "no product name"),
        (f"1,10001,MUG,1,{WHEN},0,7", "price is zero"),
        (f"1,10001,MUG,1,{WHEN},-1,7", "price is negative"),
        (f"1,10001,MUG,0,{WHEN},1,7", "quantity is zero"),
        (f"1,10001,MUG,-1,{WHEN},1,7", "negative quantity on a sale"),
        (f"C1,10001,MUG,1,{WHEN},1,7", "cancellation with a positive quantity"),
        (f"1,10001,MUG,many,{WHEN},1,7", "quantity is not a number"),
        (f"1,10001,MUG,1,{WHEN},NaN,7", "price is not a number"),
        ("1,10001,MUG,1,yesterday,1,7", "date is invalid"),
        (f",10001,MUG,1,{WHEN},1,7", "no invoice number or stock code"),
        ("1,10001", "quantity is not a number"),
    ],
)
def test_invalid_line_is_rejected_with_its_reason(tmp_path: Path, line: str, reason: str) -> None:
    history = history_of(tmp_path, line, f"2,10002,CUP,1,{WHEN},1,")
    assert history.rejected == {1: reason}
    assert history.lines_read == 2
    assert [invoice.number for invoice in history.invoices] == ["2"]


def test_valid_line_is_parsed_without_loss(tmp_path: Path) -> None:
    [invoice] = history_of(tmp_path, '7,85123a,"MUG, WHITE",1.250,12/1/2010 8:26,2.555,17850.0').invoices
    [line] = invoice.lines
    assert (line.sku, line.name, line.customer) == ("85123A", "MUG, WHITE", "17850")
    assert (line.quantity, line.unit_price) == (Decimal("1.250"), Decimal("2.555"))
    assert line.occurred_at.isoformat() == "2010-12-01T08:26:00+00:00"


def test_compressed_file_with_mapped_columns_is_read(tmp_path: Path) -> None:
    path = tmp_path / "history.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID\n")
        file.write(f"1,10001,MUG,2,{WHEN},3.50,7\n")
    columns = {"sku": "StockCode", "name": "Description", "quantity": "Quantity", "date": "InvoiceDate"}
    names = {"invoice": "Invoice", "price": "Price", "customer": "Customer ID"}
    assert len(read_history(path, {**columns, **names}).invoices) == 1
    with pytest.raises(ValueError, match="InvoiceNo"):
        read_history(path)


def test_cancellation_matches_newest_sale_to_same_customer_at_same_price(tmp_path: Path) -> None:
    history = history_of(
        tmp_path,
        f"1,10001,MUG,5,{WHEN},1.00,7",
        f"2,10001,MUG,5,{WHEN},2.00,7",
        f"3,10001,MUG,5,{WHEN},1.00,8",
        f"C4,10001,MUG,-3,{WHEN},1.00,7",
        f"C5,10001,MUG,-4,{WHEN},1.00,7",
    )
    returns = match_cancellations(history)
    assert [(part.sale.number, part.quantity) for part in returns["C4"]] == [("1", Decimal(3))]
    assert [(part.sale.number, part.quantity) for part in returns["C5"]] == [("1", Decimal(2)), ("2", Decimal(2))]


def test_cancellation_without_matching_sale_is_rejected(tmp_path: Path) -> None:
    history = history_of(tmp_path, f"1,10001,MUG,5,{WHEN},1.00,7", f"C2,10001,MUG,-6,{WHEN},1.00,7")
    assert match_cancellations(history) == {"C2": []}
    assert history.rejected == {2: NO_MATCHING_SALE}


def test_opening_stock_is_the_largest_shortfall(tmp_path: Path) -> None:
    history = history_of(
        tmp_path,
        f"1,10001,MUG,5,{WHEN},1.00,7",
        f"C2,10001,MUG,-4,{WHEN},1.00,7",
        f"3,10001,MUG,3,{WHEN},1.00,7",
        f"4,10001,MUG RED,3,{WHEN},1.50,7",
    )
    [product] = plan_products(history, match_cancellations(history))
    assert (product.sku, product.name, product.unit_price, product.opening_stock) == (
        "10001",
        "MUG",
        Decimal("1.00"),
        Decimal(7),
    )
