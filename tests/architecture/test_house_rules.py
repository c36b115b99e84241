"""The house rules that no linter knows: small checks on the source itself."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from stockbuddy.contracts.topology import CONSUMER_GROUPS, matches
from stockbuddy.embedded.deployables import SERVICES

REPOSITORY = Path(__file__).resolve().parents[2]
MEMBERS = [
    *REPOSITORY.glob("libs/*"),
    *REPOSITORY.glob("services/*"),
    REPOSITORY / "gateway",
    REPOSITORY / "deploy/embedded",
]
LONGEST_MODULE_LINES = 400
EMPTY_NAMES = {"service", "services", "util", "utils", "helper", "helpers", "common", "base", "manager", "misc"}
EMPTY_SUFFIXES = ("Manager", "Helper", "Util", "Utils", "Impl")
SQL_MODULES = {"queries", "locks", "ledger", "model"}
SQL_FOLDERS = {"ledger"}
SQL = re.compile(r"^\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|WITH)\s", re.IGNORECASE)


def modules() -> list[Path]:
    return [path for member in MEMBERS for path in sorted((member / "src").rglob("*.py"))]


def named(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


def test_every_module_says_what_it_decides() -> None:
    silent = [named(p) for p in modules() if p.stat().st_size and ast.get_docstring(ast.parse(p.read_text())) is None]
    assert not silent


def test_no_module_is_a_drawer() -> None:
    long = {named(p): n for p in modules() if (n := len(p.read_text().splitlines())) > LONGEST_MODULE_LINES}
    assert not long


def test_names_say_something() -> None:
    empty = [named(p) for p in modules() if p.stem in EMPTY_NAMES]
    classes = [
        f"{named(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef) and node.name.endswith(EMPTY_SUFFIXES)
    ]
    assert not empty + classes


def sql_texts(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.match(node.value):
            if " from " in node.value.lower() or " set " in node.value.lower() or "into" in node.value.lower():
                yield f"{named(path)}:{node.lineno}"


def test_a_service_keeps_its_sql_where_a_dba_looks_for_it() -> None:
    scattered = [
        place
        for member in REPOSITORY.glob("services/*")
        for path in (member / "src").rglob("*.py")
        if path.stem not in SQL_MODULES and not SQL_FOLDERS & set(path.parts)
        for place in sql_texts(path)
    ]
    assert not scattered


@pytest.mark.parametrize("member", MEMBERS, ids=named)
def test_a_member_has_a_readme_of_one_screen(member: Path) -> None:
    lines = (member / "README.md").read_text().splitlines()
    assert 5 <= len(lines) <= 80


def test_tests_mirror_the_source_and_are_no_packages() -> None:
    assert not [named(path) for path in REPOSITORY.glob("**/tests/**/__init__.py") if ".venv" not in path.parts]


def test_every_queue_has_its_consumer_and_every_consumer_its_queue() -> None:
    consumers = {consumer.group: consumer for deployable in SERVICES for consumer in deployable.service.consumers}
    assert set(consumers) == set(CONSUMER_GROUPS)
    for group, patterns in CONSUMER_GROUPS.items():
        unheard = [
            handled
            for handled in consumers[group].handlers
            if handled not in patterns and not any(matches(pattern, handled) for pattern in patterns)
        ]
        assert not unheard, f"{group} handles what its queue is not bound to"


def test_a_decision_fits_on_a_page() -> None:
    records = sorted((REPOSITORY / "docs/adr").glob("[0-9]*.md"))
    assert [record.name[:4] for record in records] == [f"{n:04}" for n in range(1, len(records) + 1)]
    assert not [record.name for record in records if len(record.read_text().splitlines()) > 60]


def test_no_registry_host_and_no_path_of_one_machine_is_committed() -> None:
    lock = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index" not in lock
    assert "--find-links" not in lock
