"""What a service's OpenAPI document says beyond its routes: that every refusal and failure is a problem (RFC 9457)."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.chassis.errors import PROBLEM_JSON

_SCHEMA = "Problem"


class InvalidField(BaseModel):
    """`field` is a parameter's name or a path in the body, as `lines.0.quantity`."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """Why a request was not answered as it wished. Switch on `code`; some problems carry more members."""

    model_config = ConfigDict(extra="allow", title=_SCHEMA)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[InvalidField] = Field(default_factory=list, description="With a 422: what to mend.")


def _problem(description: str) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{_SCHEMA}"}}}
    return {"description": description, "content": content}


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": _problem("Refused: the request, the caller or the present state does not allow it"),
    "5XX": _problem("Failed: this part of the system is away or broken"),
}
"""For every route, in place of FastAPI's own 422."""


class DocumentedAPI(FastAPI):
    """FastAPI that defines the schema which `PROBLEM_RESPONSES` refer to."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(schema.pop("$defs", {}))
        schemas[_SCHEMA] = schema
        return document
