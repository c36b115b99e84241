"""A salesperson, a manager, an admin and an operator complete their ten most frequent tasks, each from the home page.

Clicks (keys that open something included) and seconds are written to build/console-tasks/ for review.
"""

import time
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from playwright.sync_api import Browser

from . import admin_tasks, manager_tasks, operator_tasks, salesperson_tasks
from .conftest import PASSWORD, ROOT, RunningSystem, log_in, new_context, watch
from .person import Person

REPORTS = ROOT / "build" / "console-tasks"
OPERATOR_PERMISSIONS = ["audit.read", "catalog.read", "event.read", "stock.read", "system.read", "user.read"]
TASKS_OF_A_ROLE = 10


@pytest.fixture
def person(
    request: pytest.FixtureRequest, system: RunningSystem, browser: Browser, states: dict[str, Any]
) -> Iterator[Person]:
    """Of the role in the parameter."""
    role = request.param
    context = new_context(browser, states.get(role), viewport={"width": 1440, "height": 900})
    page = watch(context.new_page())
    if role == "operator":
        system.call("POST", "/roles", {"name": role, "permissions": OPERATOR_PERMISSIONS})
        user = {"username": "otto", "email": "otto@example.com", "password": PASSWORD}
        system.call("PATCH", f"/users/{system.call('POST', '/auth/register', user)['id']}", {"role": role})
        log_in(page, system.url, "otto")
    yield Person(page, system)
    context.close()


@pytest.mark.parametrize(
    ("person", "module"),
    [
        ("salesperson", salesperson_tasks),
        ("manager", manager_tasks),
        ("operator", operator_tasks),
        ("admin", admin_tasks),
    ],
    indirect=["person"],
)
def test_person_completes_the_most_frequent_tasks(person: Person, module: ModuleType) -> None:
    lines = [f"| {module.__doc__} | clicks | seconds |", "| --- | ---: | ---: |"]
    for task in module.TASKS:
        person.start()
        started = time.monotonic()
        task(person)
        lines.append(f"| {task.__doc__} | {person.clicks} | {time.monotonic() - started:.1f} |")
    assert len(lines) == 2 + TASKS_OF_A_ROLE
    REPORTS.mkdir(parents=True, exist_ok=True)
    name = module.__name__.rpartition(".")[2]
    (REPORTS / f"{name}.md").write_text("\n".join([*lines, ""]), encoding="utf-8")
