"""The AsyncAPI 3 document of the published events, in which every reference resolves within the document."""

from collections.abc import Mapping, Sequence
from typing import Any

from stockbuddy.contracts import topology
from stockbuddy.contracts.event import Event
from stockbuddy.contracts.event_examples import example_data, example_headers

SCHEMAS = "#/components/schemas/"
_TEXT = {"type": "string"}
_DESCRIPTION = """Everything that changes is published as a CloudEvent 1.0. docs/events.md is the consumer's guide.

**Delivery** is at least once: deduplicate by `message_id`, which is the event's id. An event is published if and only
if the change that it describes was committed; while the broker is unavailable, events wait in the database.

**Order.** Events with the same `subject` are published in the order in which they were committed; between subjects
there is none. After a redelivery an older event may follow a newer one: skip it if its `sequence` is not greater
than the last one that was applied of the same subject, or, of `stock.level.*` and `stock.movement.posted`, of the
same level (`product_id`, `warehouse_id` and `lot`).

**Retention.** A queue keeps its messages until they are acknowledged. `GET /events` has all events, from a cursor.

**Changes.** Fields and headers are added without notice; none is removed or changed. A breaking change is a new type
with the suffix `.v2`, published beside the old one for a while."""
HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "The attributes of the CloudEvent (AMQP binding 1.0, binary mode).",
    "required": [f"cloudEvents_{name}" for name in ("specversion", "id", "source", "type", "subject", "time")],
    "properties": {
        "cloudEvents_specversion": {"const": "1.0", "description": "Version of CloudEvents."},
        "cloudEvents_id": {**_TEXT, "format": "uuid", "description": "UUIDv7, unique: deduplicate by it."},
        "cloudEvents_source": {**_TEXT, "description": "The publishing service.", "examples": ["/services/stock"]},
        "cloudEvents_type": {**_TEXT, "description": "Equal to the routing key."},
        "cloudEvents_subject": {**_TEXT, "description": "The thing that changed.", "examples": ["product/42"]},
        "cloudEvents_time": {**_TEXT, "format": "date-time", "description": "When it happened, in UTC."},
        "cloudEvents_dataschema": {
            **_TEXT,
            "description": "URN of the JSON Schema of the data.",
            "examples": ["urn:stockbuddy:schema:stock.sale.completed"],
        },
        "cloudEvents_partitionkey": {**_TEXT, "description": "Events with the same one keep their order."},
        "cloudEvents_sequence": {**_TEXT, "pattern": "^[0-9]+$", "description": "Grows with each change of one thing."},
        "cloudEvents_actorid": {**_TEXT, "description": "Id of the user who caused the event."},
        "cloudEvents_actorname": {**_TEXT, "description": "Username of the user who caused the event."},
        "cloudEvents_clientip": {**_TEXT, "description": "Address of the client that caused the event."},
        "cloudEvents_requestid": {**_TEXT, "description": "`X-Request-ID` of the request that caused the event."},
        "cloudEvents_traceparent": {**_TEXT, "description": "W3C Trace Context."},
    },
}


def asyncapi_document(events: Sequence[tuple[str, type[Event]]]) -> dict[str, Any]:
    """`events` with their types. Raises ValueError if two schemas have the same name and different contents."""
    schemas: dict[str, Any] = {"CloudEventHeaders": HEADERS}
    messages = {name: _message(name, event, schemas) for name, event in events}
    return {
        "asyncapi": "3.1.0",
        "info": {
            "title": "Stockbuddy events",
            "version": "1.0.0",
            "license": {"name": "MIT"},
            "description": _DESCRIPTION,
            "tags": [{"name": producer} for producer in topology.PRODUCERS],
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{host}:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ.",
                "variables": {"host": {"default": "127.0.0.1", "description": "The broker's host name."}},
                "security": [{"$ref": "#/components/securitySchemes/consumer"}],
            }
        },
        "channels": {name: _channel(name) for name, _ in events},
        "operations": {f"publish.{name}": _operation(name) for name, _ in events},
        "components": {
            "messages": messages,
            "schemas": schemas,
            "securitySchemes": {
                "consumer": {"type": "userPassword", "description": "python -m stockbuddy.notifications consumers add"}
            },
        },
    }


def _message(name: str, event: type[Event], schemas: dict[str, Any]) -> dict[str, Any]:
    """Moves the schemas that the event's uses into `schemas`, where references to them resolve."""
    payload = event.model_json_schema(mode="serialization", ref_template=SCHEMAS + "{model}")
    example = _example(name, event, payload)
    for used, schema in payload.pop("$defs", {}).items():
        if schemas.setdefault(used, schema) != schema:
            raise ValueError(f"two schemas have the name {used}")
    return {
        "name": name,
        "summary": _summary(event),
        "contentType": "application/json",
        "tags": [{"name": name.partition(".")[0]}],
        "headers": {"$ref": SCHEMAS + "CloudEventHeaders"},
        "payload": payload,
        "bindings": {"amqp": {"contentEncoding": "utf-8", "messageType": name, "bindingVersion": "0.3.0"}},
        "examples": [example],
    }


def _example(name: str, event: type[Event], payload: Mapping[str, Any]) -> dict[str, Any]:
    data = example_data(payload)
    subject = event.model_validate(data).subject()
    headers = example_headers(name, event.source(), subject, event.dataschema())
    sequence = event.model_validate(data).sequence()
    if sequence is not None:
        headers["cloudEvents_sequence"] = str(sequence)
    return {"name": "example", "summary": f"About {subject}.", "headers": headers, "payload": data}


def _summary(event: type[Event]) -> str:
    """The docstring's first paragraph, or else the words of the type: `stock.sale.completed` → `Sale completed.`"""
    words = " ".join(event.type.split(".")[1:]).replace("_", " ").capitalize() + "."
    return " ".join((event.__doc__ or words).strip().split("\n\n")[0].split())


def _operation(name: str) -> dict[str, Any]:
    return {
        "action": "send",
        "summary": f"Publish `{name}`, at least once, in the order of its subject.",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
        "bindings": {"amqp": {"deliveryMode": 2, "ack": True, "bindingVersion": "0.3.0"}},
    }


def _channel(name: str) -> dict[str, Any]:
    return {
        "address": name,
        "description": "Bind a queue of your own to the exchange with this routing key.",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": topology.EVENTS_EXCHANGE, "type": "topic", "durable": True, "autoDelete": False},
                "bindingVersion": "0.3.0",
            }
        },
    }
