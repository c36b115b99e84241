"""Examples of requests and responses, in an order that works on a system without data; a test calls them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from stockbuddy.gateway.routing.patterns import PathPattern, split_path

Document = dict[str, Any]
Example = dict[str, Any]
"""`call` (method and path), `query`, `headers`, `body`, `is_form`, `uses`, `records`; of the response `status` and
`response`."""
EXAMPLES = Path(__file__).with_name("examples.json")


def load_examples() -> list[Example]:
    examples: list[Example] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return examples


def add_examples(document: Document) -> None:
    """Add to each operation its first example, and to its other responses the first that has their status."""
    patterns = sorted(
        ((path.count("{"), PathPattern(path), path) for path in document["paths"]), key=lambda one: one[0]
    )
    done = set[str]()
    for example in load_examples():
        method, _, url = example["call"].partition(" ")
        path = next((path for _, pattern, path in patterns if pattern.matches(split_path(url))), None)
        operation = document["paths"].get(path, {}).get(method.lower())
        if operation is None:
            continue
        if operation["operationId"] not in done:
            done.add(operation["operationId"])
            _add_request_example(operation, example, dict(_path_values(str(path), url)))
        _add_response_example(operation, example)


def _path_values(path: str, url: str) -> Iterator[tuple[str, Any]]:
    for name, value in zip(path.split("/"), url.split("/"), strict=True):
        if name.startswith("{"):
            yield name[1 : name.index("}")], int(value) if value.isdecimal() and len(value) < 10 else value


def _add_request_example(operation: Document, example: Example, path_values: Document) -> None:
    values = {**path_values, **example.get("query", {})}
    for parameter in operation.get("parameters", ()):
        if parameter.get("name") in values:
            parameter["example"] = _typed(parameter["schema"], values[parameter["name"]])
    content = operation.get("requestBody", {}).get("content", {})
    media_type = "application/x-www-form-urlencoded" if example.get("is_form") else "application/json"
    if media_type in content and "body" in example:
        content[media_type]["example"] = example["body"]


def _add_response_example(operation: Document, example: Example) -> None:
    response = operation["responses"].get(str(example.get("status")), {}).get("content", {}).get("application/json")
    if response is not None and example.get("response") is not None:
        response.setdefault("example", example["response"])


def _typed(schema: Document, value: Any) -> Any:
    """A value of the query as the schema has it."""
    if schema.get("type") == "boolean":
        return value == "true"
    return [value] if schema.get("type") == "array" else value
