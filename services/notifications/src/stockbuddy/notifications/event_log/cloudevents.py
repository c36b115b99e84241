"""An event of the log as CloudEvents 1.0 JSON, concatenated from stored JSON texts without parsing them."""

import json
from dataclasses import dataclass

from stockbuddy.notifications.event_log.cursors import LogPosition
from stockbuddy.notifications.event_log.field_permissions import visible_data


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

    def to_cursor(self) -> str:
        return LogPosition(self.epoch, self.position).to_cursor()

    def to_json(self, view: View) -> str:
        client_ip = f',"clientip":{json.dumps(self.client_ip)}' if view.with_client_ip and self.client_ip else ""
        return f'{self.attributes[:-1]}{client_ip},"data":{visible_data(self.type, self.data, view.permissions)}}}'
