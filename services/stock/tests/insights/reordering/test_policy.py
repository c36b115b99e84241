"""The reordering policy, against figures computed by hand."""

from dataclasses import replace
from decimal import Decimal

from stockbuddy.stock.insights.reordering.policy import ReorderParameters, StockPosition, recommend

SOLD_DAILY = StockPosition(
    on_hand=Decimal(30),
    reserved=Decimal(5),
    incoming=Decimal(0),
    low_stock_threshold=Decimal(0),
    demand_per_day=Decimal(4),
    deviation_per_day=Decimal(2),
    supplier_lead_time_days=9,
)


def test_position_below_reorder_point_is_reordered() -> None:
    recommendation = recommend(SOLD_DAILY, ReorderParameters())
    # 1.645 x 2 x 3 = 9.87; 4 x 9 + 9.87 = 45.87; 45.87 + 4 x 14 = 101.87; 101.87 - 25, in whole units.
    assert (recommendation.safety_stock, recommendation.reorder_point) == (Decimal("9.870"), Decimal("45.870"))
    assert (recommendation.order_up_to, recommendation.quantity) == (Decimal("101.870"), Decimal(77))


def test_incoming_quantity_counts_as_stock() -> None:
    assert recommend(replace(SOLD_DAILY, incoming=Decimal(20)), ReorderParameters()).quantity == 57
    assert recommend(replace(SOLD_DAILY, incoming=Decimal(21)), ReorderParameters()).quantity == 0


def test_parameters_set_by_users_override_computed_ones() -> None:
    parameters = ReorderParameters(lead_time_days=4, safety_stock=Decimal(0), cover_days=5, pack_size=Decimal(12))
    assert recommend(SOLD_DAILY, parameters).quantity == 0
    recommendation = recommend(replace(SOLD_DAILY, on_hand=Decimal(21)), parameters)
    assert (recommendation.reorder_point, recommendation.order_up_to, recommendation.quantity) == (
        Decimal(16),
        Decimal(36),
        Decimal(24),
    )
    assert recommend(SOLD_DAILY, ReorderParameters(reorder_point=Decimal(24))).quantity == 0
    assert recommend(SOLD_DAILY, ReorderParameters(reorder_point=Decimal(25), cover_days=0)).quantity == 0
    assert recommend(SOLD_DAILY, ReorderParameters(reorder_point=Decimal(26), cover_days=0)).quantity == 1
    assert (
        recommend(
            SOLD_DAILY, ReorderParameters(reorder_point=Decimal(26), cover_days=0, minimum_quantity=Decimal(50))
        ).quantity
        == 50
    )


def test_reorder_point_without_demand_is_threshold() -> None:
    unsold = replace(
        SOLD_DAILY, demand_per_day=Decimal(0), deviation_per_day=Decimal(0), low_stock_threshold=Decimal(40)
    )
    assert recommend(unsold, ReorderParameters()).quantity == 15
    assert recommend(replace(unsold, low_stock_threshold=Decimal(25)), ReorderParameters()).quantity == 0
    assert (
        recommend(
            replace(unsold, low_stock_threshold=Decimal(0), on_hand=Decimal(0), reserved=Decimal(0)),
            ReorderParameters(),
        ).quantity
        == 0
    )


def test_lead_time_unknown_defaults_to_a_week() -> None:
    assert recommend(replace(SOLD_DAILY, supplier_lead_time_days=None), ReorderParameters()).lead_time_days == 7
    assert recommend(replace(SOLD_DAILY, supplier_lead_time_days=0), ReorderParameters()).lead_time_days == 0
