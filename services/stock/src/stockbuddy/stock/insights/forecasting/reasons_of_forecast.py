"""Why a forecast is as it is."""

from stockbuddy.stock.insights.forecasting.estimates import Basis
from stockbuddy.stock.insights.reasons import ReasonResponse, reason

MIN_DAYS_TO_COMPARE = 35
"""The first back-test begins after three weeks and compares two, the second one."""
BACK_TEST_WEEKS = 24


def reasons_of(basis: Basis) -> list[ReasonResponse]:
    if basis.days_with_demand == 0:
        return [reason("no_demand")]
    reasons = [reason(f"method_{basis.method}")]
    if basis.methods:
        weeks = min(BACK_TEST_WEEKS, (basis.days - 21) // 7)
        reasons.append(reason("compared", methods=basis.methods, weeks=weeks))
    elif basis.days < MIN_DAYS_TO_COMPARE:
        reasons.append(reason("short_history", days=basis.days, needed=MIN_DAYS_TO_COMPARE))
    if basis.days_without_stock:
        reasons.append(reason("days_without_stock", days=basis.days_without_stock))
    if basis.days_with_promotion:
        reasons.append(reason("days_with_promotion", days=basis.days_with_promotion))
    return reasons
