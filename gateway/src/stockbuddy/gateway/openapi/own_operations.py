"""The operations that the gateway itself serves, and the WebSocket, which FastAPI does not document."""

from typing import Any

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.errors import NotFound, TooManyRequests, Unauthenticated
from stockbuddy.chassis.http.openapi.headers import RATE_LIMITS, REQUEST_ID, header_references, parameter_reference
from stockbuddy.chassis.http.openapi.problems import add_problem_responses
from stockbuddy.chassis.http.openapi.schemas import SCHEMAS, clean_schema
from stockbuddy.gateway.errors import PermissionRequired, TooManyStreams, UnknownHost
from stockbuddy.gateway.health import SystemHealth
from stockbuddy.gateway.openapi.operations import complete_operation
from stockbuddy.gateway.routing.routes import BASE, STATUS_PATH, WEBSOCKET_PATH, Auth
from stockbuddy.gateway.system_status import SystemStatus

Document = dict[str, Any]
HEALTH_TAG = {
    "name": "health",
    "description": (
        "Whether the process responds, and whether the system can serve requests: for load balancers and monitors."
    ),
}


def add_own_operations(document: Document) -> None:
    """Add `/health/live`, `/health/ready`, `/system/status` and, if there are streams, `/ws`."""
    schemas = document["components"].setdefault("schemas", {})
    for model in (SystemHealth, SystemStatus):
        schema = model.model_json_schema(mode="serialization", ref_template=SCHEMAS + "{model}")
        schemas |= {name: clean_schema(inner) for name, inner in schema.pop("$defs").items()}
        schemas[model.__name__] = clean_schema(schema)
    schemas["ProcessHealth"] = _PROCESS_HEALTH
    document["paths"]["/health/live"] = {"get": _live(document)}
    document["paths"]["/health/ready"] = {"get": _ready(document)}
    document["paths"][BASE + STATUS_PATH] = {"get": _status(document)}
    document["tags"].append(HEALTH_TAG)
    stream = document["paths"].get(f"{BASE}/stream")
    if stream is not None:
        document["paths"][BASE + WEBSOCKET_PATH] = {"get": _websocket(document, stream["get"])}


_PROCESS_HEALTH: Document = {
    "type": "object",
    "description": "The state of the process.",
    "required": ["status"],
    "properties": {
        "status": {"const": "ok", "type": "string", "description": "Always `ok`: otherwise there is no response."}
    },
}


def _live(document: Document) -> Document:
    operation = _operation(
        "get_liveness",
        "Check that the process responds",
        "It depends on nothing else: restart the process if this fails. `/health/ready` has the state of the services.",
        {"200": _json("The process responds.", "ProcessHealth")},
    )
    add_problem_responses(document, operation, [TooManyRequests, UnknownHost])
    return operation


def _ready(document: Document) -> Document:
    operation = _operation(
        "get_readiness",
        "Check that the system can serve requests",
        "`degraded` is 200, so that load balancers keep the system: without the message broker, for instance, "
        "requests are served and events follow later. The result is at most half a second old.",
        {
            "200": _json("The system serves requests: `ok` or `degraded`.", "SystemHealth"),
            "503": _json("A service that requests need is `unavailable`.", "SystemHealth"),
        },
    )
    add_problem_responses(document, operation, [TooManyRequests, UnknownHost])
    return operation


def _status(document: Document) -> Document:
    operation = _operation(
        "get_system_status",
        "Read the state of the system",
        "Every service with its replicas, the age of its outbox, its queues with dead letters, its response times and "
        "its version. `details` is null for a service that does not respond.",
        {"200": _json("The state of the gateway and of every service.", "SystemStatus")},
    )
    operation |= {"x-permission": str(Permission.SYSTEM_READ)}
    complete_operation(document, operation, "get", Auth.REQUIRED)
    add_problem_responses(document, operation, [Unauthenticated, PermissionRequired, TooManyRequests, UnknownHost])
    return operation


def _websocket(document: Document, stream: Document) -> Document:
    parameters = [one for one in stream["parameters"] if one.get("in") == "query"]
    operation = _operation(
        "stream_events_over_websocket",
        "Receive events over a WebSocket",
        "The events of `GET /stream` as text messages `{id, event, data}`: the cursor, the type, and the event "
        "in the JSON format of CloudEvents. Messages of the client are ignored. The server closes with 1008 "
        "when the session has ended, 1012 when it restarts and 1013 when the client reads too slowly: connect "
        "again with the last `id` as `after`. A request that is no WebSocket handshake gets 404.",
        {"101": {"description": "The connection is a WebSocket from now on."}},
    )
    operation |= {"tags": stream["tags"], "x-permission": "user", "parameters": [*parameters, *operation["parameters"]]}
    complete_operation(document, operation, "get", Auth.REQUIRED)
    add_problem_responses(document, operation, [TooManyStreams, NotFound])
    return operation


def _operation(operation_id: str, summary: str, description: str, responses: Document) -> Document:
    return {
        "operationId": operation_id,
        "tags": ["health"],
        "summary": summary,
        "description": description,
        "parameters": [parameter_reference(REQUEST_ID)],
        "security": [],
        "x-permission": "public",
        "responses": responses,
    }


def _json(description: str, schema: str) -> Document:
    return {
        "description": description,
        "headers": header_references([REQUEST_ID, *RATE_LIMITS]),
        "content": {"application/json": {"schema": {"$ref": SCHEMAS + schema}}},
    }
