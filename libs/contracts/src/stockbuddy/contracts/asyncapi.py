"""The AsyncAPI 3 document of the published events, in which every reference resolves within the document."""

from collections.abc import Sequence
from typing import Any

from stockbuddy.contracts import topology
from stockbuddy.contracts.event import Event

SCHEMAS = "#/components/schemas/"
_TEXT = {"type": "string"}
HEADERS: dict[str, Any] = {
    "type": "object",
    "description": "The attributes of the CloudEvent (AMQP binding 1.0, binary mode).",
    "required": [f"cloudEvents_{name}" for name in ("specversion", "id", "source", "type", "subject", "time")],
    "properties": {
        "cloudEvents_specversion": {"const": "1.0"},
        "cloudEvents_id": {**_TEXT, "format": "uuid", "description": "UUIDv7, unique: deduplicate by it."},
        "cloudEvents_source": {**_TEXT, "examples": ["/services/stock"]},
        "cloudEvents_type": {**_TEXT, "description": "Equal to the routing key."},
        "cloudEvents_subject": {**_TEXT, "examples": ["product/42"]},
        "cloudEvents_time": {**_TEXT, "format": "date-time", "description": "UTC."},
        "cloudEvents_dataschema": {**_TEXT, "examples": ["urn:stockbuddy:schema:stock.sale.completed"]},
        "cloudEvents_partitionkey": {**_TEXT, "description": "Events with the same one keep their order."},
        "cloudEvents_sequence": {**_TEXT, "pattern": "^[0-9]+$", "description": "Grows with each change of one thing."},
        "cloudEvents_actorid": {**_TEXT, "description": "Id of the user who caused the event."},
        "cloudEvents_actorname": _TEXT,
        "cloudEvents_clientip": _TEXT,
        "cloudEvents_requestid": {**_TEXT, "description": "`X-Request-ID` of the request that caused the event."},
        "cloudEvents_traceparent": {**_TEXT, "description": "W3C Trace Context."},
    },
}


def asyncapi_document(events: Sequence[tuple[str, type[Event]]]) -> dict[str, Any]:
    """`events` with their types. Raises ValueError if two schemas have the same name and different contents."""
    schemas: dict[str, Any] = {"CloudEventHeaders": HEADERS}
    messages = {name: _message(name, event, schemas) for name, event in events}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Stockbuddy events",
            "version": "1.0.0",
            "license": {"name": "MIT"},
            "description": "How to consume them: docs/events.md.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "broker": {
                "host": "{host}:5672",
                "protocol": "amqp",
                "protocolVersion": "0.9.1",
                "description": "RabbitMQ.",
                "variables": {"host": {"default": "127.0.0.1"}},
                "security": [{"$ref": "#/components/securitySchemes/consumer"}],
            }
        },
        "channels": {name: _channel(name) for name, _ in events},
        "operations": {
            f"publish.{name}": {"action": "send", "channel": {"$ref": f"#/channels/{name}"}} for name, _ in events
        },
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
    for used, schema in payload.pop("$defs", {}).items():
        if schemas.setdefault(used, schema) != schema:
            raise ValueError(f"two schemas have the name {used}")
    return {
        "name": name,
        "contentType": "application/json",
        "headers": {"$ref": SCHEMAS + "CloudEventHeaders"},
        "payload": payload,
    }


def _channel(name: str) -> dict[str, Any]:
    return {
        "address": name,
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
        "bindings": {
            "amqp": {
                "is": "routingKey",
                "exchange": {"name": topology.EVENTS_EXCHANGE, "type": "topic", "durable": True, "autoDelete": False},
            }
        },
    }
