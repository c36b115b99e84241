"""The OpenAPI document of a service: declares every error response as a problem (RFC 9457)."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from stockbuddy.chassis.http.errors import PROBLEM_JSON

_SCHEMA = "Problem"


class InvalidField(BaseModel):
    """`field`: a parameter's name or a path in the body, such as `lines.0.quantity`."""

    field: str
    message: str


class ProblemDocument(BaseModel):
    """An RFC 9457 problem. Branch on `code`, which is stable; some problems have more members."""

    model_config = ConfigDict(extra="allow", title=_SCHEMA)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    errors: list[InvalidField] = Field(default_factory=list, description="Validation errors (status 422 only).")


def _problem(description: str) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": {"$ref": f"#/components/schemas/{_SCHEMA}"}}}
    return {"description": description, "content": content}


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": _problem("Rejected: the request is invalid, not permitted, or conflicts with the current state"),
    "5XX": _problem("Failed: this part of the system is unavailable or has an internal error"),
}
"""For every route, instead of FastAPI's own 422."""


class DocumentedAPI(FastAPI):
    """FastAPI that adds the schema referenced by `PROBLEM_RESPONSES`."""

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(schema.pop("$defs", {}))
        schemas[_SCHEMA] = schema
        _use_json_schema_keywords(document)
        return document


_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _use_json_schema_keywords(node: Any) -> None:
    """Pydantic names a bound after Python (`ge`) if the type has a validator function, as Money and Quantity do: use
    the keyword of JSON Schema, in the branch for numbers."""
    if isinstance(node, list):
        for item in node:
            _use_json_schema_keywords(item)
    elif isinstance(node, dict):
        numbers = [branch for branch in node.get("anyOf", ()) if branch.get("type") in ("number", "integer")]
        for name in _KEYWORDS.keys() & node.keys():
            if not isinstance(node[name], dict):  # a schema here is a property of that name
                bound = node.pop(name)
                for target in numbers or [node]:
                    target[_KEYWORDS[name]] = bound
        for value in node.values():
            _use_json_schema_keywords(value)
