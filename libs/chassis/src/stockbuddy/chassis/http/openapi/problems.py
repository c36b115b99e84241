"""Error responses of the OpenAPI document: per status the possible values of `code`, each with its schema."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from stockbuddy.chassis.http.errors import PROBLEM_JSON, Problem
from stockbuddy.chassis.http.openapi.headers import response_headers
from stockbuddy.chassis.http.openapi.schemas import SCHEMAS, clean_schema

Document = dict[str, Any]
NestedProblem = Annotated[dict[str, Any], Field(json_schema_extra={"$ref": SCHEMAS + "Problem"})]
"""A problem as a field of a response, such as that of a batch."""


class InvalidField(BaseModel):
    """An error in one field or parameter of the request."""

    field: str = Field(description="A parameter's name, or a path in the body, such as `lines.0.quantity`.")
    message: str = Field(description="What is wrong, in English, for people: `must be greater than 0`.")
    code: str = Field(
        description="What is wrong, for programs: stable, in snake_case, such as `greater_than`, `missing`,"
        " `string_too_long`; `invalid`: the reason has no code of its own."
    )
    values: dict[str, str] = Field(
        description="What `message` names, as texts, such as the limits of the field: `gt`, `max_length`."
    )


class ProblemDocument(BaseModel):
    """An RFC 9457 problem. Branch on `code`, which is stable; some problems have more members."""

    model_config = ConfigDict(extra="allow", title="Problem")

    type: str = Field(description="A URN made of the code: `urn:stockbuddy:problem:not_found`.")
    title: str = Field(description="The name of the status: `Not Found`.")
    status: int = Field(description="The status of the response, from 400 to 599.")
    detail: str = Field(description="What happened, in English, for people; its wording may change.")
    code: str = Field(description="What happened, for programs: stable, in snake_case.")
    request_id: str | None = Field(description="The `X-Request-ID` of the request, as in the logs of the server.")
    errors: list[InvalidField] = Field(
        default_factory=list, description="With status 422, and for malformed bodies: the invalid fields."
    )


def schema_name(code: str) -> str:
    """`insufficient_stock` → `InsufficientStockProblem`."""
    return "".join(word.capitalize() for word in code.split("_")) + "Problem"


def add_problem_responses(document: Document, operation: Document, problems: Iterable[type[Problem]]) -> None:
    """Add the problems to the operation's responses, and the schemas that these refer to to the document."""
    by_status = defaultdict(list)
    for problem in sorted(set(problems), key=lambda one: (one.status, one.code, one.__name__)):
        by_status[problem.status].append(problem)
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for status, group in by_status.items():
        response, known = _response(status, group), operation["responses"].get(str(status))
        if known and PROBLEM_JSON in known.get("content", {}):
            response = join_responses(known, response)
        elif known:  # declared with another content, such as a page
            response["content"] = known["content"] | response["content"]
        operation["responses"][str(status)] = response
        for problem in group:
            if (name := schema_name(problem.code)) not in schemas:
                schemas[name] = _schema(problem, schemas)


def join_responses(first: Document, second: Document) -> Document:
    """One response with the problems of both, which have the same status."""
    heading, _, lines = first["description"].partition("\n\n")
    more = second["description"].partition("\n\n")[2]
    all_lines = sorted(dict.fromkeys([*lines.splitlines(), *more.splitlines()]))
    codes = {line.split("`")[1]: line for line in reversed(all_lines)}
    references = references_of(second) | references_of(first)
    return {
        "description": "\n".join([heading, "", *(codes[code] for code in sorted(codes))]),
        "headers": second["headers"] | first["headers"],
        "content": first["content"] | {PROBLEM_JSON: {"schema": _any_of(references)}},
    }


def codes_of(response: Document) -> list[str]:
    """The codes of an error response."""
    return sorted(references_of(response))


def references_of(response: Document) -> dict[str, str]:
    """The references to the schemas of a response's problems, by code."""
    schema = response["content"][PROBLEM_JSON]["schema"]
    if "oneOf" in schema:
        mapping: dict[str, str] = schema["discriminator"]["mapping"]
        return mapping
    return {response["description"].split("`")[3]: schema["$ref"]}


def _any_of(references: dict[str, str]) -> Document:
    if len(references) == 1:
        return {"$ref": next(iter(references.values()))}
    ordered = dict(sorted(references.items()))
    one_of = [{"$ref": reference} for reference in ordered.values()]
    return {"oneOf": one_of, "discriminator": {"propertyName": "code", "mapping": ordered}}


def add_base_schemas(schemas: Document) -> None:
    """Add `Problem`, which all problems have in common, and what it consists of."""
    schemas["Problem"] = _json_schema(ProblemDocument, schemas)


def _response(status: int, problems: Sequence[type[Problem]]) -> Document:
    meanings: dict[str, list[str]] = defaultdict(list)
    for problem in problems:
        meanings[problem.code].append(_meaning(problem))
    lines = [f"- `{code}`: {' Or: '.join(dict.fromkeys(texts))}" for code, texts in meanings.items()]
    references = {code: SCHEMAS + schema_name(code) for code in meanings}
    return {
        "description": "\n".join([f"{HTTPStatus(status).phrase}. The values of `code`:", "", *lines]),
        "headers": response_headers(status),
        "content": {PROBLEM_JSON: {"schema": _any_of(references)}},
    }


def _meaning(problem: type[Problem]) -> str:
    return (problem.__doc__ or "").strip().splitlines()[0]


def _schema(problem: type[Problem], schemas: Document) -> Document:
    """The schema of the problem's code, whose meaning is that of the class that introduces it."""
    general = next(base for base in reversed(problem.__mro__) if getattr(base, "code", None) == problem.code)
    members: dict[str, Any] = {
        "status": Annotated[Literal[problem.status], Field(description="The status, always this value.")],
        "code": Annotated[
            Literal[problem.code], Field(description="Always this value: programs recognise the situation by it.")
        ],
        **problem.members,
    }
    model = create_model(schema_name(problem.code), __base__=ProblemDocument, __doc__=_meaning(general), **members)
    return _json_schema(model, schemas)


def _json_schema(model: type[BaseModel], schemas: Document) -> Document:
    """The schema of a model; adds those of its parts to `schemas`."""
    schema: Document = model.model_json_schema(ref_template=SCHEMAS + "{model}", mode="serialization")
    for name, part in schema.pop("$defs", {}).items():
        schemas.setdefault(name, clean_schema(part))
    clean_schema(schema)
    return schema
