"""Names of models, operations, modules, classes and limits, and where requests, state and loops may be used.

The conventions are in CONTRIBUTING.md ("Names"). An exception is listed here with its reason.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.source import classes, functions, modules, named, parsed

RESOURCE_VERBS = {"list", "get", "create", "update", "replace", "delete"}
ACTION_VERBS = {
    *(
        "approve",
        "cancel",
        "change",
        "check",
        "commit",
        "complete",
        "confirm",
        "enter",
        "erase",
        "exchange",
        "export",
        "extend",
        "import",
    ),
    *(
        "introspect",
        "issue",
        "login",
        "logout",
        "mark",
        "order",
        "place",
        "receive",
        "record",
        "redeliver",
        "refresh",
        "register",
    ),
    *(
        "release",
        "request",
        "resend",
        "reset",
        "restore",
        "retry",
        "reverse",
        "revoke",
        "rotate",
        "run",
        "set",
        "ship",
        "stream",
        "verify",
        "void",
    ),
}
HTTP_METHODS = {"get", "post", "put", "patch", "delete", "api_route"}
REJECTED_MODEL = re.compile(
    r"^_?(New|Shown|Listed|Made|Create|Change(?!Password))(?=[A-Z])|(View|(?<!Field)Changes?|Body|Model)$"
)
BODY_SUFFIXES = ("Create", "Update", "Replace", "Login")

FIELD_NOUNS_IN_ING = {
    *("costing", "forecasting", "hashing", "logging", "messaging", "posting", "pricing", "purchasing", "reordering"),
    *("rendering", "routing", "signing", "testing"),
}
ADJECTIVES_IN_ING = {"closing", "opening", "outgoing", "relying"}
PARTICIPLES = {
    *("Answered", "Arrived", "Arriving", "Asked", "Called", "Changed", "Chosen", "Denied", "Ended", "Entered"),
    *("Exchanged", "Expected", "Found", "Given", "Held", "Incoming", "Known", "Listed", "Made", "Moved", "Ordered"),
    *("Posted", "Received", "Selling", "Sent", "Shown", "Sought", "Stored", "Suggested", "Taken", "Telling", "Told"),
    *("Wanted", "Wish", "Wishes"),
}
REJECTED_CONSTANT = re.compile(r"(^|_)(MOST|LONGEST|LARGEST|LEAST|SHORTEST|PATIENCE|AWAY|LEAVE|THINKING)(_|$)")
LOOPS_THAT_SLEEP = {
    "chassis/runtime/background.py: renewed_lease": "the renewal of leases itself",
    "chassis/runtime/background.py: renew_until_cancelled": "as above",
    "chassis/http/server.py: wait_for_database": "returns once the database is available",
    "chassis/messaging/archive.py: wait_until_ready": "returns once the database is available",
    "chassis/messaging/inbox.py: wait_until_ready": "returns once the database is available",
    "chassis/messaging/bus/amqp/consumer.py: consume_forever": "a subscription that reconnects",
    "gateway/proxy/live_streams.py: _extend": "lasts as long as one open stream",
    "stock/ledger/ledger.py: _plan": "retries a read until its deadline",
}


def of_services() -> Iterator[Path]:
    yield from (path for path in modules() if named(path).startswith("services/"))


def schemas() -> Iterator[Path]:
    yield from (path for path in of_services() if path.stem.rpartition("_")[2] == "schemas")


def commands() -> Iterator[Path]:
    """Modules of commands, and use-case modules such as `create_sale.py`."""
    for path in of_services():
        words = path.stem.split("_")
        if words[-1] == "commands" or (len(words) > 1 and words[0] in RESOURCE_VERBS | ACTION_VERBS):
            yield path


def is_base(node: ast.ClassDef, name: str) -> bool:
    return any(isinstance(base, ast.Name) and base.id == name for base in node.bases)


def operations(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in functions(path):
        for decorator in node.decorator_list:
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if isinstance(function, ast.Attribute) and function.attr in HTTP_METHODS:
                yield node
                break


def test_models_are_named_create_update_response_or_page() -> None:
    rejected = [
        f"{named(path)}: {node.name}"
        for path in schemas()
        for node in classes(path)
        if REJECTED_MODEL.search(node.name)
    ]
    assert not rejected


def test_request_bodies_are_named_create_update_or_by_their_action() -> None:
    verbs = {verb.capitalize() for verb in ACTION_VERBS}
    rejected = [
        f"{named(path)}: {node.name}"
        for path in schemas()
        for node in classes(path)
        if is_base(node, "RequestBody") and not node.name.startswith("_")
        if not node.name.endswith(BODY_SUFFIXES) and re.match(r"[A-Z][a-z]+", node.name)[0] not in verbs  # type: ignore[index]
    ]
    assert not rejected


def test_operations_begin_with_a_resource_verb_or_an_action() -> None:
    rejected = [
        f"{named(path)}: {node.name}"
        for path in of_services()
        for node in operations(path)
        if node.name.partition("_")[0] not in RESOURCE_VERBS | ACTION_VERBS
    ]
    assert not rejected


def test_modules_have_no_gerund_names() -> None:
    rejected = {
        named(path)
        for path in modules()
        for name in (path.stem, path.parent.name)
        for word in name.split("_")
        if word.endswith("ing") and word not in FIELD_NOUNS_IN_ING | ADJECTIVES_IN_ING
    }
    assert not rejected


def test_classes_are_no_bare_participles() -> None:
    assert not [
        f"{named(path)}: {node.name}" for path in modules() for node in classes(path) if node.name in PARTICIPLES
    ]


def test_limits_and_times_have_standard_names() -> None:
    rejected = {
        f"{named(path)}: {node.id}"
        for path in modules()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Name) and node.id.isupper() and REJECTED_CONSTANT.search(node.id)
    }
    assert not rejected


def test_commands_have_no_request_parameter() -> None:
    rejected = [
        f"{named(path)}: {node.name}"
        for path in commands()
        for node in functions(path)
        for argument in [*node.args.args, *node.args.kwonlyargs]
        if isinstance(argument.annotation, ast.Name) and argument.annotation.id == "Request"
    ]
    assert not rejected


def uses_of_state(path: Path) -> Iterator[str]:
    """Functions, except `get_services`, that use `app.state`."""
    for function in functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and node.attr == "state" and ast.unparse(node.value).endswith("app"):
                if function.name != "get_services":
                    yield f"{named(path)}: {function.name}"


def test_application_state_is_typed() -> None:
    others = [path for path in modules() if not named(path).startswith("libs/chassis/")]
    assert not [use for path in others for use in uses_of_state(path)]


def is_endless(loop: ast.While) -> bool:
    """`while True`, or until a flag of the process is set."""
    return bool(re.search(r"^True$|is_set\(\)$|stopping|closing", ast.unparse(loop.test)))


def endless_loops_that_sleep(source: ast.AST) -> Iterator[ast.While]:
    for loop in ast.walk(source):
        if isinstance(loop, ast.While) and is_endless(loop):
            calls = [node.func for node in ast.walk(loop) if isinstance(node, ast.Call)]
            if any(isinstance(call, ast.Attribute) and call.attr == "sleep" for call in calls):
                yield loop


def test_background_loops_are_polling_workers() -> None:
    deployed = [path for path in modules() if not re.search(r"^deploy/|^libs/local_servers/|/testing/", named(path))]
    rejected = {
        f"{named(path).partition('src/stockbuddy/')[2]}: {function.name}"
        for path in deployed
        for function in functions(path)
        if any(endless_loops_that_sleep(function))
    }
    assert rejected == set(LOOPS_THAT_SLEEP)


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("while True:\n    await asyncio.sleep(1)", 1),
        ("while not stopping.is_set():\n    await asyncio.sleep(1)", 1),
        ("while not server.started:\n    await asyncio.sleep(1)", 0),
        ("while page := read():\n    yield page", 0),
    ],
)
def test_loop_check_finds_endless_loops_that_sleep(source: str, count: int) -> None:
    assert len(list(endless_loops_that_sleep(ast.parse(source)))) == count
