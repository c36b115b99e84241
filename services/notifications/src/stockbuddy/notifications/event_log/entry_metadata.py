"""Metadata of log entries: whether the audit trail includes the event, its actor and its time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.event_log.patterns import matches_any

UNAUDITED = (
    "stock.level.*",  # follows from a movement or document
    "stock.activity.unusual",  # computed from movements
    "*.job.progressed",  # the request is what someone did
    "notifications.checkpoint.*",  # describes the log itself
    "notifications.notification.*",  # follows from another event
    "catalog.*.republished",  # changes nothing
    "auth.session.refreshed",  # continues an audited login
    "auth.api_key.authenticated",  # the creation of the key is audited
)
"""Events that follow from another event in the log; every other type is audited."""

SELF_ATTRIBUTED_EVENTS = ("auth.user.registered", "auth.user.logged_in")
"""Events of unauthenticated requests whose payload identifies the actor."""

MAX_ID_DIGITS = 18
"""Every number with so many digits fits a bigint."""


def is_audited(event_type: str) -> bool:
    return not matches_any(UNAUDITED, event_type)


def identify_actor(event_type: str, attributes: Mapping[str, str], data: Any) -> tuple[int | None, str | None]:
    """Id and name of the actor, as far as the event contains them."""
    actor_id = attributes.get("actorid", "")
    if actor_id.isdecimal() and len(actor_id) <= MAX_ID_DIGITS:
        return int(actor_id), attributes.get("actorname")
    if event_type in SELF_ATTRIBUTED_EVENTS and isinstance(data, dict):
        user_id, username = data.get("user_id"), data.get("username")
        return user_id if isinstance(user_id, int) else None, username if isinstance(username, str) else None
    return None, attributes.get("actorname")


def parse_time(value: str | None) -> datetime:
    """The event's time, or the time of arrival if its producer set none that PostgreSQL and Python can represent."""
    try:
        at = datetime.fromisoformat(value or "")
    except ValueError:
        return clock.now()
    if not 1 < at.year < 9999:  # a conversion to another time zone could leave Python's range
        return clock.now()
    return at if at.tzinfo else at.replace(tzinfo=UTC)
