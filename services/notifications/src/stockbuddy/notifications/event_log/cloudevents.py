"""An event of the log as clients see it: CloudEvents 1.0 in JSON, put together from stored text without parsing it."""

import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """`attributes` and `data` are JSON texts; `client_ip` is kept apart from the attributes, for not all may see it."""

    position: int
    type: str
    subject: str | None
    client_ip: str | None
    attributes: str
    data: str

    @property
    def cursor(self) -> str:
        return str(self.position)

    def to_json(self, *, with_client_ip: bool) -> str:
        client_ip = f',"clientip":{json.dumps(self.client_ip)}' if with_client_ip and self.client_ip else ""
        return f'{self.attributes[:-1]}{client_ip},"data":{self.data}}}'
