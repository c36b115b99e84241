"""The demand of each weekday in relation to the average day, over all products together."""

from collections.abc import Sequence
from datetime import date
from statistics import fmean
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.stock.calendar_days import day_starts, days_until
from stockbuddy.stock.insights.forecasting import queries

HISTORY_DAYS = 56
MIN_DAYS = 14


async def load_weekday_factors(session: AsyncSession, today: date, zone: ZoneInfo) -> list[float]:
    """Monday's factor first; from the first day with demand on."""
    days = days_until(today, HISTORY_DAYS + 1)
    demand = await queries.fetch_total_daily_demand(session, day_starts(days, zone))
    first = next((index for index, quantity in enumerate(demand) if quantity), len(demand))
    return weekday_factors(demand[first:], days[first].weekday())


def weekday_factors(totals: Sequence[float], first_weekday: int) -> list[float]:
    """From the total demand of each day. All are 1 if there are fewer than MIN_DAYS."""
    average = fmean(totals) if totals else 0.0
    if len(totals) < MIN_DAYS or not average:
        return [1.0] * 7
    by_weekday = [totals[(weekday - first_weekday) % 7 :: 7] for weekday in range(7)]
    factors = [fmean(days) / average for days in by_weekday]
    return [factor * 7 / sum(factors) for factor in factors]
