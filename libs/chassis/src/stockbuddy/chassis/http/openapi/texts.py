"""Descriptions of parameters, fields and tags: written once per name, because a name means the same everywhere.

A description next to the field in the source comes first, then that of `Schema.field`, then that of the name. The texts
of a service come before those of the chassis.
"""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]
COMMON = Path(__file__).with_name("texts.toml")


class Texts:
    """`sources`: TOML files with the tables `tags`, `parameters` and `fields`, the most specific first."""

    def __init__(self, sources: Sequence[Path]) -> None:
        self._tables = [tomllib.loads(source.read_text(encoding="utf-8")) for source in sources]

    @property
    def tags(self) -> Mapping[str, str]:
        tags: Mapping[str, str] = self._tables[0].get("tags", {})
        return tags

    def describe_schemas(self, schemas: Mapping[str, Document]) -> None:
        for name, schema in schemas.items():
            for field, details in schema.get("properties", {}).items():
                self.describe_field(f"{name}.{field}", details)

    def describe_field(self, name: str, details: Document) -> None:
        """`name`: of the schema and the field, joined by a dot."""
        self._describe(details, "fields", name, name.rpartition(".")[2])

    def describe_operation(self, operation: Document) -> None:
        """Describe its parameters. A filter that has no text of its own has that of the field with its name."""
        for parameter in operation["parameters"]:
            if (name := parameter.get("name")) is not None:
                self._describe(parameter, "parameters", f"{operation['operationId']}.{name}", name)
                self._describe(parameter, "fields", name)

    def _describe(self, target: Document, table: str, *names: str) -> None:
        if target.get("description"):
            return
        for texts in self._tables:
            for name in names:
                if text := texts.get(table, {}).get(name):
                    target["description"] = text
                    return
