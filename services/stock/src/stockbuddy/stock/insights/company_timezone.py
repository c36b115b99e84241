"""The time zone in which a request counts days: its `tz` parameter, by default the company's."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import TimezoneName
from stockbuddy.stock.replicas.system_settings import load_company_locale


async def _get_timezone(session: ReadSession, tz: Annotated[TimezoneName | None, Query()] = None) -> ZoneInfo:
    return ZoneInfo(tz or (await load_company_locale(session)).timezone)


CompanyTimezone = Annotated[ZoneInfo, Depends(_get_timezone)]
