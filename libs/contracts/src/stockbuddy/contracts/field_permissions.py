"""Fields that only callers with a permission see, in every format: marked in the models, removed from what is sent.

The name of a marked field has this meaning everywhere below a response or in an event.
"""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, Field

KEY = "x-permission"
"""The keyword of a field's JSON Schema that names the permission."""
COST_READ = "cost.read"

COST: Any = Field(json_schema_extra={KEY: COST_READ})
"""What goods cost, and what can be computed from it with the prices: profit, margin, value of stock."""


@cache
def restricted_fields(annotation: Any) -> Mapping[str, frozenset[str]]:
    """The names of the fields that need a permission, by permission: of a model, or of the models that a type
    contains. Raises TypeError if a name is marked in one of them only: it is removed by its name."""
    fields = set(_fields(annotation, set()))
    marked = {name: permission for name, permission in fields if permission is not None}
    if ambiguous := sorted(name for name, permission in fields if permission is None and name in marked):
        raise TypeError(f"{annotation}: fields with and without a permission: {', '.join(ambiguous)}")
    return {
        permission: frozenset(name for name, own in marked.items() if own == permission)
        for permission in set(marked.values())
    }


def _fields(annotation: Any, visited: set[Any]) -> Iterator[tuple[str, str | None]]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        for argument in get_args(annotation):
            yield from _fields(argument, visited)
    elif annotation not in visited:
        visited.add(annotation)
        for name, field in annotation.model_fields.items():
            extra = field.json_schema_extra
            yield name, str(extra[KEY]) if isinstance(extra, dict) and KEY in extra else None
            yield from _fields(field.annotation, visited)
