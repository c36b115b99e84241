"""The OpenAPI document of a service."""

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter
from pydantic import BaseModel, Field

from stockbuddy.chassis.http.app import Service, create_app
from stockbuddy.chassis.http.authentication import PUBLIC
from stockbuddy.chassis.http.errors import PROBLEM_JSON
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.openapi import PROBLEM_RESPONSES
from stockbuddy.chassis.runtime.settings import ServiceSettings
from stockbuddy.contracts.numbers import Money, Quantity

router = APIRouter(prefix="/api/v1/notes", route_class=ConditionalRoute)


@router.get("/{number}", dependencies=[PUBLIC])
async def read_note(number: int) -> int:
    return number


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


def test_operations_document_problems_instead_of_validation_errors(document: dict[str, Any]) -> None:
    get, post = document["paths"]["/api/v1/notes/{number}"]["get"], document["paths"]["/api/v1/notes"]["post"]
    assert set(get["responses"]) == {"200", "304", "4XX", "5XX"}
    assert set(post["responses"]) == {"200", "202", "4XX", "5XX"}
    for status in PROBLEM_RESPONSES:
        assert get["responses"][status]["content"] == {
            PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}
        }
    assert set(document["components"]["schemas"]) == {"Problem", "InvalidField", "Payment"}


def test_bounds_of_money_and_quantity_are_json_schema_keywords(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["Payment"]["properties"]
    amount = next(branch for branch in fields["amount"]["anyOf"] if branch["type"] == "number")
    assert (amount["exclusiveMinimum"], amount["maximum"]) == (0, 100)
    assert '"minimum": 1' in json.dumps(fields["parts"])
    assert '"ge"' not in json.dumps(document)


def test_problem_schema_requires_the_members_of_every_problem(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["Problem"]
    assert set(schema["required"]) == {"type", "title", "status", "detail", "code", "request_id"}
