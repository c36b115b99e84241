"""Money and quantities stay exact on their way through JSON."""

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
def test_what_is_written_reads_back_the_same(price: Decimal, quantity: Decimal) -> None:
    line = Line(price=price, quantity=quantity)
    assert Line.model_validate_json(line.model_dump_json()) == line


def test_money_is_a_string_with_two_to_four_places_and_a_quantity_a_number() -> None:
    line = Line.model_validate_json('{"price": 19.9, "quantity": 5.0}')
    assert line.model_dump_json() == '{"price":"19.90","quantity":5}'
    assert (
        Line(price=Decimal("0.1234"), quantity=Decimal("0.125")).model_dump_json()
        == '{"price":"0.1234","quantity":0.125}'
    )


@pytest.mark.parametrize(
    "body", ['{"price": 0.00001, "quantity": 1}', '{"price": 1, "quantity": 0.0001}', '{"price": "NaN", "quantity": 1}']
)
def test_more_places_than_there_are_is_an_error_not_a_rounding(body: str) -> None:
    with pytest.raises(ValidationError):
        Line.model_validate_json(body)


def test_nothing_is_written_without_a_sign_and_a_thousand_without_an_exponent() -> None:
    assert [money_text(Decimal(text)) for text in ("-0", "-0.0000", "1E+3")] == ["0.00", "0.00", "1000.00"]
    assert [quantity_text(Decimal(text)) for text in ("-0", "-0.000", "1E+3", "-2.50")] == ["0", "0", "1000", "-2.5"]
