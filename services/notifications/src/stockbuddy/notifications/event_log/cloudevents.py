"""An event of the log as CloudEvents 1.0 JSON, concatenated from stored JSON texts without parsing them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stockbuddy.notifications.event_log.cursors import LogPosition
from stockbuddy.notifications.event_log.field_permissions import visible_data
from stockbuddy.notifications.event_log.placeholders import disclose_json


@dataclass(frozen=True, slots=True)
class View:
    """The part of an event that a caller may see: `permissions` are those of FIELD_PERMISSIONS that they have."""

    with_client_ip: bool
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """`attributes` and `data` are JSON texts. `client_ip` is not among the attributes: not all may see it."""

    epoch: int
    position: int
    type: str
    subject: str | None
    client_ip: str | None
    attributes: str
    data: str

    def disclosed(self, values: Mapping[str, str]) -> "LoggedEvent":
        """The event with personal values, by placeholder."""
        attributes, data = disclose_json(self.attributes, values), disclose_json(self.data, values)
        return replace(self, attributes=attributes, data=data)

    def to_cursor(self) -> str:
        return LogPosition(self.epoch, self.position).to_cursor()

    def to_json(self, view: View) -> str:
        client_ip = f',"clientip":{json.dumps(self.client_ip)}' if view.with_client_ip and self.client_ip else ""
        return f'{self.attributes[:-1]}{client_ip},"data":{visible_data(self.type, self.data, view.permissions)}}}'
