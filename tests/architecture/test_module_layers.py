"""Inside a service, the modules of an aggregate import in one direction: routes → commands → queries → model."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.source import modules, named, parsed

LAYERS = {"model": 0, "schemas": 1, "queries": 1, "commands": 2, "handlers": 3, "routes": 3}


def imported_layers(path: Path) -> Iterator[str]:
    """The layer modules that `path` imports, of any aggregate of a service."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("stockbuddy."):
            names = [node.module.rpartition(".")[2], *(alias.name for alias in node.names)]
            yield from (name for name in names if name in LAYERS)


def test_aggregate_modules_import_lower_layers_only() -> None:
    upward = [
        f"{named(path)} imports {layer}"
        for path in modules()
        if named(path).startswith("services/") and path.stem in LAYERS
        for layer in imported_layers(path)
        if LAYERS[layer] > LAYERS[path.stem] or (layer != path.stem and LAYERS[layer] == LAYERS["routes"])
    ]
    assert not upward
