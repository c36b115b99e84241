"""Which events are derived facts: they follow from something that somebody did, and that is in the log as well.

The log keeps them, the audit trail leaves them out. Everything else is somebody's doing, whatever its type.
"""

from stockbuddy.notifications.event_log.patterns import matches_any

DERIVED = (
    "stock.level.*",  # what a movement or a document did to a level
    "stock.activity.unusual",  # an observation
    "notifications.notification.*",  # what others' doings made us tell somebody
    "auth.session.refreshed",  # the login before it goes on
    "auth.api_key.authenticated",  # likewise: whoever made the key let it in
)


def is_audited(event_type: str) -> bool:
    return not matches_any(DERIVED, event_type)
