"""When to reorder and how much, by hand."""

from dataclasses import replace
from decimal import Decimal

from stockbuddy.stock.insights.reordering.policy import Situation, Wishes, advise

SOLD_DAILY = Situation(
    on_hand=Decimal(30),
    reserved=Decimal(5),
    incoming=Decimal(0),
    threshold=Decimal(0),
    demand_per_day=Decimal(4),
    deviation_per_day=Decimal(2),
    supplier_lead_time_days=9,
)


def test_it_is_reordered_when_the_position_will_not_last_the_lead_time() -> None:
    advice = advise(SOLD_DAILY, Wishes())
    # 1.645 x 2 x 3 = 9.87; 4 x 9 + 9.87 = 45.87; 45.87 + 4 x 14 = 101.87; 101.87 - 25, in whole units.
    assert (advice.safety_stock, advice.reorder_point) == (Decimal("9.870"), Decimal("45.870"))
    assert (advice.order_up_to, advice.quantity) == (Decimal("101.870"), Decimal(77))


def test_what_is_coming_counts_as_if_it_were_here() -> None:
    assert advise(replace(SOLD_DAILY, incoming=Decimal(20)), Wishes()).quantity == 57
    assert advise(replace(SOLD_DAILY, incoming=Decimal(21)), Wishes()).quantity == 0


def test_what_people_settle_wins() -> None:
    wishes = Wishes(lead_time_days=4, safety_stock=Decimal(0), cover_days=5, pack_size=Decimal(12))
    assert advise(SOLD_DAILY, wishes).quantity == 0
    advice = advise(replace(SOLD_DAILY, on_hand=Decimal(21)), wishes)
    assert (advice.reorder_point, advice.order_up_to, advice.quantity) == (Decimal(16), Decimal(36), Decimal(24))
    assert advise(SOLD_DAILY, Wishes(reorder_point=Decimal(24))).quantity == 0
    assert advise(SOLD_DAILY, Wishes(reorder_point=Decimal(25), cover_days=0)).quantity == 0
    assert advise(SOLD_DAILY, Wishes(reorder_point=Decimal(26), cover_days=0)).quantity == 1
    assert (
        advise(SOLD_DAILY, Wishes(reorder_point=Decimal(26), cover_days=0, minimum_quantity=Decimal(50))).quantity == 50
    )


def test_without_demand_the_threshold_is_kept() -> None:
    unsold = replace(SOLD_DAILY, demand_per_day=Decimal(0), deviation_per_day=Decimal(0), threshold=Decimal(40))
    assert advise(unsold, Wishes()).quantity == 15
    assert advise(replace(unsold, threshold=Decimal(25)), Wishes()).quantity == 0
    assert (
        advise(replace(unsold, threshold=Decimal(0), on_hand=Decimal(0), reserved=Decimal(0)), Wishes()).quantity == 0
    )


def test_without_a_known_lead_time_it_is_a_week() -> None:
    assert advise(replace(SOLD_DAILY, supplier_lead_time_days=None), Wishes()).lead_time_days == 7
    assert advise(replace(SOLD_DAILY, supplier_lead_time_days=0), Wishes()).lead_time_days == 0
