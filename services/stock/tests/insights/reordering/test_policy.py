"""The reordering policy, against figures computed by hand."""

from dataclasses import replace
from decimal import Decimal

from stockbuddy.stock.insights.forecasting.estimates import Period
from stockbuddy.stock.insights.reordering.policy import ReorderParameters, StockPosition, period_of, recommend

SOLD_DAILY = StockPosition(
    on_hand=Decimal(30),
    reserved=Decimal(5),
    incoming=Decimal(0),
    low_stock_threshold=Decimal(0),
    lead_time_demand=Decimal(36),
    cover_demand=Decimal(56),
    safety_stock=Decimal("9.87"),
)
"""Four a day: nine days until a delivery, 14 after it."""


def test_position_below_reorder_point_is_reordered() -> None:
    recommendation = recommend(SOLD_DAILY, ReorderParameters())
    # 36 + 9.87 = 45.87; 45.87 + 56 = 101.87; 101.87 - 25, in whole units.
    assert (recommendation.safety_stock, recommendation.reorder_point) == (Decimal("9.870"), Decimal("45.870"))
    assert (recommendation.order_up_to, recommendation.quantity) == (Decimal("101.870"), Decimal(77))


def test_incoming_quantity_counts_as_stock() -> None:
    assert recommend(replace(SOLD_DAILY, incoming=Decimal(20)), ReorderParameters()).quantity == 57
    assert recommend(replace(SOLD_DAILY, incoming=Decimal(21)), ReorderParameters()).quantity == 0


def test_parameters_set_by_users_override_computed_ones() -> None:
    parameters = ReorderParameters(safety_stock=Decimal(0), pack_size=Decimal(12))
    of_four_days = replace(SOLD_DAILY, lead_time_demand=Decimal(16), cover_demand=Decimal(20))
    assert recommend(of_four_days, parameters).quantity == 0
    recommendation = recommend(replace(of_four_days, on_hand=Decimal(21)), parameters)
    assert (recommendation.reorder_point, recommendation.order_up_to, recommendation.quantity) == (
        Decimal(16),
        Decimal(36),
        Decimal(24),
    )
    uncovered = replace(SOLD_DAILY, cover_demand=Decimal(0))
    assert recommend(SOLD_DAILY, ReorderParameters(reorder_point=Decimal(24))).quantity == 0
    assert recommend(uncovered, ReorderParameters(reorder_point=Decimal(25))).quantity == 0
    assert recommend(uncovered, ReorderParameters(reorder_point=Decimal(26))).quantity == 1
    least = ReorderParameters(reorder_point=Decimal(26), minimum_quantity=Decimal(50))
    assert recommend(uncovered, least).quantity == 50


def test_reorder_point_without_demand_is_threshold() -> None:
    nothing = {"lead_time_demand": Decimal(0), "cover_demand": Decimal(0), "safety_stock": Decimal(0)}
    unsold = replace(SOLD_DAILY, low_stock_threshold=Decimal(40), **nothing)
    assert recommend(unsold, ReorderParameters()).quantity == 15
    assert recommend(replace(unsold, low_stock_threshold=Decimal(25)), ReorderParameters()).quantity == 0
    assert (
        recommend(
            replace(unsold, low_stock_threshold=Decimal(0), on_hand=Decimal(0), reserved=Decimal(0)),
            ReorderParameters(),
        ).quantity
        == 0
    )


def test_lead_time_is_that_of_rule_supplier_or_a_week() -> None:
    assert period_of(ReorderParameters(), None) == Period(7, 14)
    assert period_of(ReorderParameters(cover_days=5), 0) == Period(0, 5)
    assert period_of(ReorderParameters(lead_time_days=4), 9) == Period(4, 14)
