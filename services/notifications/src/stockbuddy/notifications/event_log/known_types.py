"""The types of the events that webhooks can receive: those of the contracts, without events for one user."""

from difflib import get_close_matches

from stockbuddy.contracts import auth, catalog, notifications, stock  # noqa: F401 - fills EVENTS
from stockbuddy.contracts.event import EVENTS
from stockbuddy.notifications.event_log.patterns import matches, matches_any
from stockbuddy.notifications.event_log.visibility import ADDRESSED

KNOWN_TYPES = tuple(sorted(name for name in EVENTS if not matches_any(ADDRESSED, name)))
MAX_SUGGESTIONS = 3
SIMILARITY = 0.5


def require_known_type(pattern: str) -> None:
    """Raises ValueError, which names the closest types, if the pattern matches no type."""
    if any(matches(pattern, known) for known in KNOWN_TYPES):
        return
    closest = get_close_matches(pattern, KNOWN_TYPES, MAX_SUGGESTIONS, SIMILARITY)
    suggestion = f"; the closest types are {', '.join(closest)}" if closest else ""
    raise ValueError(f"{pattern} matches no event type{suggestion}")
