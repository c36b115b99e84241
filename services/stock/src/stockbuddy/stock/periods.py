"""Periods in the filters of lists: half-open, between moments or days in the company's time zone."""

from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, Field
from sqlalchemy import ColumnElement
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.calendar_days import start_of
from stockbuddy.chassis.fields import DayOrTime
from stockbuddy.chassis.http.pagination import PageQuery, in_interval
from stockbuddy.stock.calendar_days import first_day_from
from stockbuddy.stock.replicas.system_settings import load_company_locale


class PeriodFilter(PageQuery):
    """`from` and `to`: moments or days (from their beginning in the company's time zone); `to` is excluded."""

    model_config = ConfigDict(populate_by_name=True)

    since: Annotated[DayOrTime | None, Field(alias="from")] = None
    until: Annotated[DayOrTime | None, Field(alias="to")] = None


async def moment_conditions(session: AsyncSession, column: Any, filters: PeriodFilter) -> list[ColumnElement[bool]]:
    """For a column of moments."""
    if filters.since is None and filters.until is None:
        return []
    zone = await load_company_zone(session)
    return in_interval(column, *(end and start_of(end, zone) for end in (filters.since, filters.until)))


async def day_conditions(session: AsyncSession, column: Any, filters: PeriodFilter) -> list[ColumnElement[bool]]:
    """For a column of days, each of which counts as its beginning."""
    if filters.since is None and filters.until is None:
        return []
    zone = await load_company_zone(session)
    return in_interval(column, *(end and first_day_from(end, zone) for end in (filters.since, filters.until)))


async def load_company_zone(session: AsyncSession) -> ZoneInfo:
    return ZoneInfo((await load_company_locale(session)).timezone)
