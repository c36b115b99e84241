"""Tables for people, JSON for programs."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from stockbuddy_client.exact_fields import MONEY

NUMBER = re.compile(r'"\\u0000(-?[\d.]+)"')


def to_json(value: Any, *, indent: int | None = None) -> str:
    """The JSON as the API sends it: money as strings, quantities as exact numbers."""
    return NUMBER.sub(r"\1", json.dumps(_marked(value, is_money=False), indent=indent))


def _marked(value: Any, *, is_money: bool) -> Any:
    """`json` has no exact numbers: they become strings that begin with NUL, whose quotes are removed."""
    if isinstance(value, Mapping):
        return {name: _marked(one, is_money=name in MONEY) for name, one in value.items()}
    if isinstance(value, list):
        return [_marked(one, is_money=is_money) for one in value]
    if isinstance(value, Decimal):
        return format(value, "f") if is_money else f"\0{value:f}"
    return value


def print_json(value: Any) -> None:
    print(to_json(value, indent=2))


def print_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> None:
    """All columns in full if the output is not a terminal."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = column in MONEY or column in ("quantity", "on_hand", "reserved", "available", "incoming", "id")
        table.add_column(column.replace("_", " "), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else 1000).print(table)


def print_fields(record: Mapping[str, Any]) -> None:
    """One object: a line per field, and a table for each list of objects."""
    simple = {name: value for name, value in record.items() if not _is_table(value) and value is not None}
    width = max(map(len, simple))
    for name, value in simple.items():
        print(f"{name.replace('_', ' '):<{width}}  {_cell(value)}")
    for name, rows in record.items():
        if _is_table(rows):
            print(f"\n{name.replace('_', ' ')}:")
            print_table(rows, [column for column in rows[0] if any(row[column] is not None for row in rows)])


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _cell(value: Any) -> Text:
    """What the server sends is shown as it is, never interpreted as markup or as control characters of the terminal."""
    if value is None:
        text = "-"
    elif isinstance(value, Decimal):
        text = format(value, "f")
    elif isinstance(value, list):
        text = ", ".join(map(str, value))
    elif isinstance(value, Mapping):
        text = str(value.get("name", value))
    else:
        text = str(value)
    return Text("".join(character if character.isprintable() else "\ufffd" for character in text))
