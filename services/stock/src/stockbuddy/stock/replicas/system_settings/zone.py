"""The time zone that a request goes by: the one that it asks for, or else the shop's."""

from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Depends, Query

from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.calendar_days import ZoneName, zone_named
from stockbuddy.stock.replicas.system_settings.queries import fetch_place


async def _zone(session: ReadSession, tz: Annotated[ZoneName | None, Query()] = None) -> ZoneInfo:
    return zone_named(tz or (await fetch_place(session)).timezone)


PlaceZone = Annotated[ZoneInfo, Depends(_zone)]
