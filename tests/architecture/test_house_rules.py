"""House rules that no linter checks: sizes, docstrings, names of modules, places of SQL, queues and their consumers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockbuddy.contracts.topology import CONSUMER_GROUPS, matches
from stockbuddy.embedded.service_registry import SERVICES
from tests.architecture.source import MEMBERS, REPOSITORY, classes, functions, modules, named, parsed

MAX_MODULE_LINES = 300
MAX_MODULE_LINES_P75 = 110
MAX_FUNCTION_LINES_P90 = 18
MAX_CONSTRUCTOR_PARAMETERS = 6
MAX_TOP_LEVEL_FOLDERS = {"libs/chassis/src/stockbuddy/chassis": 7, "services/stock/src/stockbuddy/stock": 8}
README_LINES = range(5, 81)
MEANINGLESS_MODULES = {"service", "services", "util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}
MEANINGLESS_SUFFIXES = ("Manager", "Helper", "Util", "Utils", "Impl")
SQL_MODULES = {
    *("queries", "model", "statements", "append", "candidates", "closing_balances", "delivery_queue", "lookups"),
    *("opening_stock", "snapshots", "term_frequency"),
}
"""Besides `queries` and `model`: modules named after the table or statement that they contain."""
SQL_FOLDERS = {"ledger", "replicas"}
SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s", re.IGNORECASE)
SQL_CLAUSE = re.compile(r" from | set |into", re.IGNORECASE)


def quantile(values: list[int], share: float) -> int:
    return sorted(values)[round(share * (len(values) - 1))]


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_module_exceeds_the_maximum_length() -> None:
    assert not {named(path): lines(path) for path in modules() if lines(path) > MAX_MODULE_LINES}


def test_three_quarters_of_the_modules_are_short() -> None:
    assert quantile([n for path in modules() if (n := lines(path))], 0.75) <= MAX_MODULE_LINES_P75


def test_nine_tenths_of_the_functions_are_short() -> None:
    lengths = [(node.end_lineno or 0) - node.lineno + 1 for path in modules() for node in functions(path)]
    assert quantile(lengths, 0.9) <= MAX_FUNCTION_LINES_P90


def test_no_constructor_has_too_many_parameters() -> None:
    """Data classes, models and settings have no `__init__` of their own."""
    assert not {
        f"{named(path)}: {node.name}": count
        for path in modules()
        for node in classes(path)
        for method in node.body
        if isinstance(method, ast.FunctionDef) and method.name == "__init__"
        if (count := len(method.args.args) + len(method.args.kwonlyargs) - 1) > MAX_CONSTRUCTOR_PARAMETERS
    }


@pytest.mark.parametrize(("package", "limit"), MAX_TOP_LEVEL_FOLDERS.items())
def test_package_has_few_top_level_folders(package: str, limit: int) -> None:
    assert len([path for path in (REPOSITORY / package).iterdir() if (path / "__init__.py").exists()]) <= limit


def test_every_module_has_a_docstring() -> None:
    assert not [named(p) for p in modules() if p.stat().st_size and ast.get_docstring(parsed(p)) is None]


def test_no_module_and_no_class_has_a_meaningless_name() -> None:
    assert not [named(path) for path in modules() if path.stem in MEANINGLESS_MODULES]
    assert not [
        f"{named(path)}: {node.name}"
        for path in modules()
        for node in classes(path)
        if node.name.endswith(MEANINGLESS_SUFFIXES)
    ]


def sql_texts(path: Path) -> Iterator[str]:
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            if SQL_CLAUSE.search(node.value):
                yield f"{named(path)}:{node.lineno}"


def test_sql_of_a_service_is_only_in_the_modules_for_sql() -> None:
    assert not [
        place
        for path in modules()
        if named(path).startswith("services/")
        if path.stem.rpartition("_")[2] != "queries"
        if path.stem not in SQL_MODULES and not SQL_FOLDERS & set(path.parts)
        for place in sql_texts(path)
    ]


@pytest.mark.parametrize("member", MEMBERS, ids=named)
def test_member_has_a_readme_of_one_screen(member: Path) -> None:
    assert len((member / "README.md").read_text(encoding="utf-8").splitlines()) in README_LINES


def test_tests_are_no_packages() -> None:
    assert not [named(path) for path in REPOSITORY.glob("**/tests/**/__init__.py") if ".venv" not in path.parts]


def test_every_queue_has_its_consumer_and_every_consumer_its_queue() -> None:
    consumers = {consumer.group: consumer for deployed in SERVICES for consumer in deployed.service.consumers}
    assert set(consumers) == set(CONSUMER_GROUPS)
    for group, patterns in CONSUMER_GROUPS.items():
        unbound = [
            handled
            for handled in consumers[group].handlers
            if handled not in patterns and not any(matches(pattern, handled) for pattern in patterns)
        ]
        assert not unbound, f"{group} handles event types that its queue is not bound to"


def test_lock_names_no_registry() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert not [text for text in ("://", "--index", "--find-links") if text in lock]
