"""The OpenAPI document of a service."""

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.app import create_app
from stockbuddy.chassis.http.authentication import PUBLIC, Caller, UserSession, requires
from stockbuddy.chassis.http.errors import PROBLEM_JSON, Conflict, raises
from stockbuddy.chassis.http.etags import ConditionalRoute, IfMatch
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.service_definition import Service
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.contracts.numbers import Money, Quantity

router = APIRouter(prefix="/api/v1/notes", route_class=ConditionalRoute)


class NoteTaken(Conflict):
    """Another note has this number."""

    code = "note_taken"
    members = {"other": Annotated[int, Field(description="The number of the other note.")]}


class NoteResponse(BaseModel):
    id: int


@router.get("/{number}", dependencies=[PUBLIC])
async def read_note(number: int) -> int:
    return number


@router.get("")
async def list_notes(_: UserSession) -> Page[NoteResponse]:
    """List notes.

    Newest first.
    """
    return Page(items=[], page=1, page_size=20, total=0, next_cursor=None)


@router.post("/archive")
@raises(NoteTaken)
async def archive_note(_: Caller) -> None:
    """Archive a note."""


@router.patch("/{number}", dependencies=[requires(Permission.CATALOG_WRITE)])
async def update_note(number: int, if_match: IfMatch = None, note: str | None = None) -> NoteResponse:
    """Change a note."""
    return NoteResponse(id=number)


class Payment(BaseModel):
    amount: Annotated[Money, Field(gt=0, le=100)]
    parts: Annotated[Quantity, Field(ge=1)] | None = None


@router.post("/payments", dependencies=[PUBLIC])
async def pay(payment: Payment) -> None:
    """Bounds of numbers."""


@router.post("", dependencies=[PUBLIC], responses={202: {"description": "Later"}})
async def take_note(number: int) -> int:
    return number


@pytest.fixture
def document() -> dict[str, Any]:
    return create_app(Service("probe", "Probe", [router]), ServiceSettings(env="development")).openapi()


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = document["paths"][f"/api/v1/notes{path}"][method]
    return found


def codes(operation: dict[str, Any], status: str) -> set[str]:
    """The values of `code` that an operation documents."""
    response = operation["responses"][status]
    return {line.split("`")[1] for line in response["description"].splitlines() if line.startswith("- `")}


def test_operations_enumerate_the_codes_of_their_problems(document: dict[str, Any]) -> None:
    read, post = operation(document, "get", "/{number}"), operation(document, "post", "")
    assert set(read["responses"]) == {"200", "304", "404", "422", "500", "503"}
    assert set(post["responses"]) == {"200", "202", "422", "500", "503"}
    archive, update = operation(document, "post", "/archive"), operation(document, "patch", "/{number}")
    assert codes(archive, "409") == {"note_taken"}
    assert codes(archive, "422") == {"validation_error", "idempotency_key_invalid", "idempotency_key_reused"}
    assert codes(update, "403") == {"forbidden"}
    assert codes(update, "412") == {"stale_etag"}
    schema = archive["responses"]["409"]["content"][PROBLEM_JSON]["schema"]
    assert schema == {"$ref": "#/components/schemas/NoteTakenProblem"}
    members = document["components"]["schemas"]["NoteTakenProblem"]["properties"]
    assert members["code"]["const"] == "note_taken"
    assert members["other"] == {"type": "integer", "description": "The number of the other note."}
    several = archive["responses"]["422"]["content"][PROBLEM_JSON]["schema"]
    assert set(several["discriminator"]["mapping"]) == codes(archive, "422")


def test_headers_follow_from_the_route(document: dict[str, Any]) -> None:
    def parameters(operation: dict[str, Any]) -> set[str]:
        return {one["$ref"].rpartition("/")[2] for one in operation["parameters"] if "$ref" in one}

    assert parameters(operation(document, "get", "/{number}")) == {"XRequestID", "IfNoneMatch"}
    assert parameters(operation(document, "post", "/archive")) == {"XRequestID", "IdempotencyKey"}
    assert parameters(operation(document, "patch", "/{number}")) == {"XRequestID", "IfMatch"}
    assert "ETag" in operation(document, "get", "/{number}")["responses"]["200"]["headers"]
    assert "Idempotent-Replayed" in operation(document, "post", "/archive")["responses"]["200"]["headers"]
    assert "Retry-After" in operation(document, "post", "")["responses"]["503"]["headers"]
    for parameter in document["components"]["parameters"].values():
        assert parameter["schema"]["type"] == "string"
        assert parameter["required"] is False


def test_texts_and_names_come_from_the_source(document: dict[str, Any]) -> None:
    notes = operation(document, "get", "")
    assert (notes["summary"], notes["description"]) == ("List notes", "Newest first.")
    assert notes["responses"]["200"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/NotePage"
    }
    assert document["components"]["schemas"]["NotePage"]["properties"]["next_cursor"]["description"]
    assert notes["x-interactive"]
    note = next(one for one in operation(document, "patch", "/{number}")["parameters"] if one.get("name") == "note")
    assert note["schema"] == {"type": "string"}


def test_bounds_of_money_and_quantity_are_json_schema_keywords(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["Payment"]["properties"]
    amount = next(branch for branch in fields["amount"]["anyOf"] if branch["type"] == "number")
    assert (amount["exclusiveMinimum"], amount["maximum"]) == (0, 100)
    assert '"minimum": 1' in json.dumps(fields["parts"])
    assert '"ge"' not in json.dumps(document)


def test_problem_schema_requires_the_members_of_every_problem(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) == {"type", "title", "status", "detail", "code", "request_id"}
