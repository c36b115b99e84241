"""The page docs/events.md: how to consume the events, their list, and the queues of the services."""

from collections.abc import Sequence
from pathlib import Path

from stockbuddy.contracts import topology
from stockbuddy.contracts.event import Event

TEMPLATE = Path(__file__).with_suffix(".template")


def events_page(events: Sequence[tuple[str, type[Event]]], example: str) -> str:
    """`events` with their types; `example`: the source of the example consumer."""
    lines = [
        TEMPLATE.read_text().format(exchange=topology.EVENTS_EXCHANGE, example=example),
        "## Types",
        "",
        "Fields ending in `?` may be missing or null.",
        "",
        "| type | subject | data |",
        "| --- | --- | --- |",
    ]
    for name, event in events:
        fields = ", ".join(n if f.is_required() else f"{n}?" for n, f in event.model_fields.items())
        lines.append(f"| `{name}` | `{event.subject_template}` | {fields} |")
    lines += ["", "## Queues of the services", "", "| queue | receives |", "| --- | --- |"]
    lines += [f"| `{group}` | {', '.join(f'`{p}`' for p in ps)} |" for group, ps in topology.CONSUMER_GROUPS.items()]
    return "\n".join(lines) + "\n"
