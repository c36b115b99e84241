"""Reasons for forecasts and suggestions: a sentence for people, with a stable code and its values for translations."""

from decimal import Decimal

from pydantic import BaseModel

TEXTS = {
    "no_demand": "Nothing was sold or issued yet, so no demand is expected.",
    "short_history": "Only {days} days are known; from {needed} days on, methods are compared.",
    "compared": "Of {methods} methods, this one was the most accurate when the last {weeks} weeks were forecast.",
    "method_smoothing": "Demand is about the same on every day; recent days count more.",
    "method_weekday_profile": "Demand depends on the day of the week; recent weeks count more.",
    "method_damped_trend": "Demand follows a trend, which weakens in the future.",
    "method_holt_winters": "Demand follows a trend and depends on the day of the week.",
    "method_yearly_profile": "Demand follows the season, as in the year before, and depends on the day of the week.",
    "method_tsb": "How often it is sold and how much at a time are averaged separately.",
    "method_moving_average": "Demand is the average of the last four weeks.",
    "method_seasonal_naive": "Each day is like the same day of the week before.",
    "days_without_stock": "{days} days on which the stock was used up do not count as days with less demand.",
    "days_with_promotion": "{days} days with reduced prices do not count as days with more demand.",
    "lead_time": "{units} are expected to be needed in the {days} days until a delivery.",
    "safety_stock": "{units} more are kept so that stock lasts until the delivery in {percent} of 100 cases.",
    "threshold": "The product's threshold is {units}, which is more.",
    "rule": "The reorder point is set to {units}.",
    "position": "{units} are in stock or on their way, without what is reserved.",
    "cover": "{units} more are ordered for the {days} days after the delivery.",
    "minimum_quantity": "The least quantity of an order is {units}.",
    "pack_size": "The quantity is rounded up to packs of {units}.",
}


class ReasonResponse(BaseModel):
    """`text`: in English; `code` and `values` for other languages."""

    code: str
    values: dict[str, str]
    text: str


def reason(code: str, **values: Decimal | int) -> ReasonResponse:
    """Quantities are written with up to one decimal."""
    written = {name: _written(value) for name, value in values.items()}
    return ReasonResponse(code=code, values=written, text=TEXTS[code].format(**written))


def _written(value: Decimal | int) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{value:.1f}".removesuffix(".0")
