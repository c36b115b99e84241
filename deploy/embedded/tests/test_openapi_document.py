"""docs/openapi.json, from which the client libraries are generated: current, valid, and without gaps."""

import copy
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.embedded.api_promises import promises, released_promises
from stockbuddy.embedded.openapi_document import DOCUMENT, openapi_documents

Document = dict[str, Any]
METHODS = {"get", "put", "post", "patch", "delete"}
MIN_WORDS = 2
FILLERS = {"a", "an", "the", "of", "this", "its", "is", "are", "identifies", "it"}


@cache
def committed() -> Document:
    document: Document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    return document


def operations() -> Iterator[tuple[str, Document]]:
    for path, item in committed()["paths"].items():
        yield from ((f"{method.upper()} {path}", item[method]) for method in METHODS & item.keys())


def resolve(part: Document) -> Document:
    while "$ref" in part and part["$ref"].startswith("#/components/"):
        _, _, section, name = part["$ref"].split("/")
        part = committed()["components"][section][name]
    return part


def schemas() -> Iterator[tuple[str, Document]]:
    yield from committed()["components"]["schemas"].items()


def words(text: str) -> list[str]:
    return [word.removesuffix("s") for word in re.findall(r"[a-z]+", text.lower()) if word not in FILLERS]


def says_nothing(name: str, description: str | None) -> bool:
    """Whether a description is missing or has only the words of the name."""
    said = words(description or "")
    return len(said) < MIN_WORDS or set(said) <= set(words(name.replace("_", " ")))


def test_committed_openapi_documents_are_current() -> None:
    outdated = [str(file) for file, content in openapi_documents().items() if file.read_text("utf-8") != content]
    assert not outdated, "run `make contracts`"


def test_every_operation_parameter_and_field_is_described() -> None:
    silent = [name for name, one in operations() if says_nothing(one["operationId"], one["description"])]
    silent += [name for name, one in operations() if one["summary"] == one["description"] or one["summary"][-1] == "."]
    for name, operation in operations():
        for parameter in map(resolve, operation["parameters"]):
            if says_nothing(parameter["name"], parameter.get("description")):
                silent.append(f"{name}: {parameter['name']}")
    for name, schema in schemas():
        for field, details in schema.get("properties", {}).items():
            if says_nothing(field, details.get("description")):
                silent.append(f"{name}.{field}")
    used = {tag for _, operation in operations() for tag in operation["tags"]}
    described = {tag["name"] for tag in committed()["tags"] if len(tag["description"]) > 40}
    assert not silent
    assert used == described


def test_errors_are_enumerated_by_code() -> None:
    for name, operation in operations():
        statuses = [status for status in operation["responses"] if status >= "400"]
        assert all(status.isdigit() for status in operation["responses"]), name
        assert statuses, name
        for status in statuses:
            content = resolve(operation["responses"][status]).get("content", {})
            if "application/problem+json" not in content:
                assert (name, status) == ("GET /health/ready", "503")
                continue
            schema = content["application/problem+json"]["schema"]
            for one in schema.get("oneOf", [schema]):
                properties = resolve(one)["properties"]
                assert properties["status"]["const"] == int(status), name
                assert properties["code"]["const"]


def test_requests_that_change_data_document_what_makes_them_safe() -> None:
    for name, operation in operations():
        headers = {one["name"] for one in map(resolve, operation["parameters"]) if one["in"] == "header"}
        assert "X-Request-ID" in headers, name
        if "If-Match" in headers:
            assert "stale_etag" in resolve(operation["responses"]["412"])["description"]
        if "Idempotency-Key" in headers:
            success = next(one for status, one in operation["responses"].items() if status < "300")
            assert "Idempotent-Replayed" in success["headers"], name
            assert "idempotency_key_reused" in resolve(operation["responses"]["422"])["description"]
    sale = committed()["paths"]["/api/v1/sales"]["post"]
    problem = committed()["components"]["schemas"]["InsufficientStockProblem"]
    assert "insufficient_stock" in sale["responses"]["409"]["description"]
    assert problem["properties"]["shortages"]["items"] == {"$ref": "#/components/schemas/Shortage"}


def test_schemas_have_meaningful_names_and_types() -> None:
    names = [name for name, _ in schemas()]
    assert not [name for name in names if not re.fullmatch(r"([A-Z][a-z0-9]*)+", name)]
    assert {"SalePage", "StockCountCreate", "SaleResponse"} <= set(names)
    requests = {name for name in names if name.endswith(("Create", "Update"))}
    answers = json.dumps([operation["responses"] for _, operation in operations()])
    assert not [name for name in requests if f'schemas/{name}"' in answers]
    inline, untyped, defaults = list[str](), list[str](), list[str]()
    for name, schema in schemas():
        for field, details in schema.get("properties", {}).items():
            text = json.dumps(details)
            inline += [f"{name}.{field}"] if '"properties":' in text else []
            untyped += [f"{name}.{field}"] if details.get("type") == "array" and not details.get("items") else []
            defaults += [f"{name}.{field}"] if name.endswith("Update") and "default" in details else []
    assert (inline, untyped, defaults) == ([], [], [])


def test_document_states_credentials_permissions_and_general_information() -> None:
    document = committed()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "oauth2", "app", "apiKey", "session", "csrf"}
    for name, operation in operations():
        assert set(operation["x-permission"].split()) <= {"public", "user", *Permission}, name
        is_secured = any(operation["security"])
        assert is_secured == (operation["x-permission"] != "public") or name.endswith(("/image", "/register")), name
    assert document["servers"]
    assert document["info"]["license"]
    assert document["info"]["contact"]
    assert {"/api/v1/ws", "/api/v1/stream", "/health/live", "/health/ready"} <= set(document["paths"])


def test_document_keeps_what_clients_of_the_last_release_rely_on() -> None:
    broken = released_promises() - promises(committed())
    assert not broken, "breaking changes; see docs/releasing.md"


def test_breaking_changes_are_found_and_compatible_ones_are_not() -> None:
    changed = copy.deepcopy(committed())
    fields = changed["components"]["schemas"]
    fields["SaleResponse"]["properties"]["tip"] = {"type": "string"}
    fields["SaleCreate"]["properties"]["tip"] = {"type": "string"}
    fields["WarehouseResponse"]["properties"]["kind"] = {"type": "string"}
    assert promises(committed()) - promises(changed) == set()
    del fields["SaleResponse"]["properties"]["total"]
    fields["CustomerResponse"]["properties"]["id"] = {"type": "string"}
    fields["CustomerCreate"]["required"].append("email")
    del changed["paths"]["/api/v1/users"]["get"]
    lost = {line for line in promises(committed()) - promises(changed) if not line.startswith("GET /api/v1/users")}
    assert lost == {
        "SaleResponse.total always: string decimal",
        "CustomerResponse.id always: integer",
        "CustomerCreate requires no fields but [name]",
    }
