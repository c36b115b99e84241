"""Chunks: consecutive events of one shard of an outbox as one text, a CloudEvents JSON batch.

The batch has one event per line, and an event's data comes last. A chunk is therefore divided into events, and an event
into attributes and data, without parsing the data, which keeps its original bytes.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import orjson

from stockbuddy.chassis.messaging.message import Message

BATCH_CONTENT_TYPE = "application/cloudevents-batch+json"
MAX_CHUNK_EVENTS = 250
"""Larger chunks delay the events behind them."""
MAX_CHUNK_LENGTH = 256 * 1024
"""In characters; a single event may be longer."""
_DATA = ', "data": '
# JSON escapes line breaks within texts, so this never occurs within an event.
_BETWEEN_EVENTS = ",\n"


@dataclass(frozen=True, slots=True)
class Chunk:
    """`types`: the type of each event, in order; `body`: the batch."""

    types: tuple[str, ...]
    body: str

    @classmethod
    def stored(cls, types: str, body: str) -> "Chunk":
        """From the columns of its row."""
        return cls(tuple(types.split(" ")), body)

    def singles(self) -> Iterator["Chunk"]:
        """The events as chunks of their own."""
        for event_type, event in zip(self.types, events_of(self.body), strict=True):
            yield Chunk((event_type,), f"[{event}]")

    def only(self, types: Iterable[str]) -> "Chunk | None":
        """The events of these types; None without any."""
        wanted = frozenset(types)
        if wanted.issuperset(self.types):
            return self
        kept = [(kind, event) for kind, event in zip(self.types, events_of(self.body), strict=True) if kind in wanted]
        if not kept:
            return None
        return Chunk(tuple(kind for kind, _ in kept), batch_text(event for _, event in kept))

    def messages(self) -> list[Message]:
        return [to_message(event) for event in events_of(self.body)]


def event_text(attributes: str, data: str) -> str:
    """An event as JSON. `attributes`: a JSON object; `data`: any JSON without line breaks."""
    return f"{attributes[:-1]}{_DATA}{data}}}"


def batch_text(events: Iterable[str]) -> str:
    return f"[{_BETWEEN_EVENTS.join(events)}]"


def events_of(body: str) -> list[str]:
    """The events of a batch, each as JSON."""
    return body[1:-1].split(_BETWEEN_EVENTS)


def to_message(event: str, deliveries: int = 0) -> Message:
    """Raises ValueError unless `event` is an event as `event_text` returns it."""
    attributes, between, data = event.partition(_DATA)
    headers = orjson.loads(f"{attributes}}}")
    try:
        if between:
            return Message(headers["id"], headers["type"], headers, data[:-1].encode(), deliveries)
    except (KeyError, TypeError):
        pass
    raise ValueError("not an event of an outbox")


def join(chunks: Sequence[Chunk]) -> Iterator[Chunk]:
    """The same events in the same order in as few chunks as their limits allow."""
    types: list[str] = []
    bodies: list[str] = []
    length = 0
    for chunk in chunks:
        if types and (len(types) + len(chunk.types) > MAX_CHUNK_EVENTS or length + len(chunk.body) > MAX_CHUNK_LENGTH):
            yield Chunk(tuple(types), batch_text(bodies))
            types, bodies, length = [], [], 0
        types += chunk.types
        bodies.append(chunk.body[1:-1])
        length += len(chunk.body)
    if types:
        yield Chunk(tuple(types), batch_text(bodies))
