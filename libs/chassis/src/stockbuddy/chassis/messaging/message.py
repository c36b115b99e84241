"""A CloudEvent in transit."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """`headers`: the event's attributes by name; `body`: its data as JSON.

    `deliveries` counts earlier deliveries to this consumer that were not acknowledged.
    """

    id: str
    type: str
    headers: Mapping[str, str]
    body: bytes
    deliveries: int = field(default=0, compare=False)

    @property
    def partition_key(self) -> str:
        return self.headers.get("partitionkey") or self.headers.get("subject") or self.id
