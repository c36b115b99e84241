"""The commands that this package adds to `stockbuddy`. Each replaces the process by its program, so that listing the
commands does not load the server."""

import os
import sys
from typing import NoReturn


def serve() -> NoReturn:
    """Start the whole system on this machine."""
    os.environ.setdefault("ENV", "development")  # as `make run` does; ENV=production requires secrets
    _run("stockbuddy.embedded")


def demo() -> NoReturn:
    """Create a demo shop with 30 days of trade in a running system."""
    _run("stockbuddy.embedded.demo")


def replay() -> NoReturn:
    """Import an invoice history into a running system."""
    _run("stockbuddy.embedded.replay")


def migrate() -> NoReturn:
    """Create or upgrade the tables of all services."""
    _run_of_services("migrate")


def dead_letters() -> NoReturn:
    """List or retry the messages that a service could not handle."""
    _run_of_services("dead-letters")


def setup_token() -> NoReturn:
    """Print a new token for registering the first admin."""
    _run_of_services("setup-token")


def rotate_keys() -> NoReturn:
    """Publish a new key that signs access tokens."""
    _run_of_services("rotate-keys")


def events() -> NoReturn:
    """Archive old events, or begin a new epoch after a restore."""
    _run_of_services("events")


def consumers() -> NoReturn:
    """Create a broker account for a consumer of events."""
    _run_of_services("consumers")


def audit() -> NoReturn:
    """Verify an export of the audit log, without the server."""
    _run("stockbuddy.notifications", "audit")


def backup() -> NoReturn:
    """Back up database, images and secrets; verify a backup."""
    _run("stockbuddy.embedded.backup", "backup")


def restore() -> NoReturn:
    """Restore a backup into an empty installation."""
    _run("stockbuddy.embedded.backup", "restore")


def _run_of_services(command: str) -> NoReturn:
    _run("stockbuddy.embedded.service_commands", command)


def _run(module: str, *arguments: str) -> NoReturn:
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments, *sys.argv[1:]])  # noqa: S606 (no shell wanted)
