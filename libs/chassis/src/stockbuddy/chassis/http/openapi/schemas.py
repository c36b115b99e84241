"""Corrections of the schemas that Pydantic and FastAPI generate."""

import re
from collections.abc import Mapping
from typing import Any

from stockbuddy.contracts.field_permissions import KEY

SCHEMAS = "#/components/schemas/"
PAGE_DESCRIPTION = "A page of a list, with what the next one needs."
_PAGE = re.compile(r"Page_(\w+?)(Response|ListItem)?_")
_KEYWORDS = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def clean_schema(schema: Any) -> Any:
    """Correct a schema, or any part of a document, in place, and return it."""
    _use_json_schema_keywords(schema)
    _remove_titles(schema)
    _make_restricted_optional(schema)
    return schema


def name_pages(document: dict[str, Any]) -> dict[str, Any]:
    """A copy in which the schema `Page_SaleResponse_`, Pydantic's name of `Page[SaleResponse]`, is named `SalePage`."""
    schemas = document["components"]["schemas"]
    renames = {name: f"{match[1]}Page" for name in schemas if (match := _PAGE.fullmatch(name))}
    references = {SCHEMAS + old: SCHEMAS + new for old, new in renames.items()}
    document = rename_references(document, references)
    components = document["components"]
    components["schemas"] = {renames.get(name, name): schema for name, schema in components["schemas"].items()}
    for name in renames.values():
        components["schemas"][name]["description"] = PAGE_DESCRIPTION
    return document


def rename_references(part: Any, renames: Mapping[str, str]) -> Any:
    """A copy whose references, and discriminator mappings, use the new names."""
    if isinstance(part, dict):
        return {key: rename_references(value, renames) for key, value in part.items()}
    if isinstance(part, list):
        return [rename_references(value, renames) for value in part]
    if isinstance(part, str) and part.startswith("#/components/"):
        return renames.get(part, part)
    return part


def name_bodies(document: dict[str, Any]) -> None:
    """Move body schemas that stand in the operation, because FastAPI cannot parse such bodies, to the components: each
    under its title."""
    for item in document["paths"].values():
        for operation in item.values():
            for media_type in operation.get("requestBody", {}).get("content", {}).values():
                name, schema = media_type["schema"].get("title"), media_type["schema"]
                if name and "properties" in schema:
                    document["components"]["schemas"][name] = schema
                    media_type["schema"] = {"$ref": SCHEMAS + name}


def without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter or body that may be absent: it is documented as not required instead of as null."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch.get("type") != "null"]
    if not branches or len(branches) == len(schema["anyOf"]):
        return schema
    others = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**branches[0], **others} if len(branches) == 1 else {"anyOf": branches, **others}


def _make_restricted_optional(node: Any) -> None:
    """Fields that need a permission are absent from the responses of others."""
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _make_restricted_optional(part)
    if isinstance(node, dict) and isinstance(properties := node.get("properties"), dict) and "required" in node:
        node["required"] = [name for name in node["required"] if KEY not in properties.get(name, {})]


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


def _remove_titles(node: Any) -> None:
    """Generated titles repeat the field's name (`Warehouse Id`)."""
    if isinstance(node, list):
        for item in node:
            _remove_titles(item)
    elif isinstance(node, dict):
        if isinstance(node.get("title"), str) and "version" not in node:  # that of the document stays
            del node["title"]
        for value in node.values():
            _remove_titles(value)
