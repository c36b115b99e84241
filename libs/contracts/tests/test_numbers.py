"""Money and quantities stay exact in JSON."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from stockbuddy.contracts.numbers import Money, Quantity, money_text, quantity_text


class Line(BaseModel):
    price: Money
    quantity: Quantity


@given(
    price=st.decimals(min_value=0, max_value=Decimal(10) ** 13, places=4),
    quantity=st.decimals(min_value=-(Decimal(10) ** 11), max_value=Decimal(10) ** 11, places=3),
)
def test_money_and_quantity_survive_a_round_trip(price: Decimal, quantity: Decimal) -> None:
    line = Line(price=price, quantity=quantity)
    assert Line.model_validate_json(line.model_dump_json()) == line


def test_money_is_a_string_and_quantity_a_number() -> None:
    line = Line.model_validate_json('{"price": 19.9, "quantity": 5.0}')
    assert line.model_dump_json() == '{"price":"19.90","quantity":5}'
    assert (
        Line(price=Decimal("0.1234"), quantity=Decimal("0.125")).model_dump_json()
        == '{"price":"0.1234","quantity":0.125}'
    )


@pytest.mark.parametrize(
    "body", ['{"price": 0.00001, "quantity": 1}', '{"price": 1, "quantity": 0.0001}', '{"price": "NaN", "quantity": 1}']
)
def test_too_many_decimal_places_are_rejected(body: str) -> None:
    with pytest.raises(ValidationError):
        Line.model_validate_json(body)


@pytest.mark.parametrize("number", ["0e-50000000", "0e50000000", "12_50", "٣", "1" * 41, "", "1e", "0x1F", "1,5"])
def test_number_that_only_python_accepts_or_with_a_large_exponent_is_rejected(number: str) -> None:
    with pytest.raises(ValidationError, match="price"):
        Line.model_validate({"price": number, "quantity": 1})
    with pytest.raises(ValidationError, match="price"):
        Line.model_validate({"price": Decimal("0e-50000000"), "quantity": 1})


def test_zero_has_no_sign_and_large_numbers_no_exponent() -> None:
    assert [money_text(Decimal(text)) for text in ("-0", "-0.0000", "1E+3")] == ["0.00", "0.00", "1000.00"]
    assert [quantity_text(Decimal(text)) for text in ("-0", "-0.000", "1E+3", "-2.50")] == ["0", "0", "1000", "-2.5"]
