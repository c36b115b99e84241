"""Generates RabbitMQ's definitions: a user for each service with the permissions of the bus, and one for the operator.

    python -m stockbuddy.chassis.messaging.bus.amqp.definitions PASSWORDS > definitions.json

PASSWORDS is a directory with a file `<service>-bus` for each service and one named `operator`.
"""

import base64
import hashlib
import json
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stockbuddy.chassis.messaging.bus.amqp.permissions import permissions_of, topic_permissions_of
from stockbuddy.contracts.topology import PRODUCERS

OPERATOR = "operator"
HOST = "/"


def definitions(passwords: Mapping[str, str]) -> dict[str, Any]:
    """The document for `load_definitions`. `passwords`: by user, for every service and the operator."""
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    return {
        "vhosts": [{"name": HOST}],
        "users": [_user(OPERATOR, passwords, tags=["administrator"]), *(_user(name, passwords) for name in PRODUCERS)],
        "permissions": [
            {"user": OPERATOR, "vhost": HOST, **everything},
            *({"user": service, "vhost": HOST, **asdict(permissions_of(service))} for service in PRODUCERS),
        ],
        "topic_permissions": [
            {"user": service, "vhost": HOST, "exchange": exchange, "write": write, "read": read}
            for service in PRODUCERS
            for exchange, (write, read) in topic_permissions_of(service).items()
        ],
    }


def _user(name: str, passwords: Mapping[str, str], tags: Sequence[str] = ()) -> dict[str, Any]:
    return {
        "name": name,
        "password_hash": _hash(passwords[name]),
        "hashing_algorithm": "rabbit_password_hashing_sha256",
        "tags": list(tags),
    }


def _hash(password: str) -> str:
    """https://www.rabbitmq.com/docs/passwords#computing-password-hash"""
    salt = secrets.token_bytes(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


def read_passwords(directory: Path) -> dict[str, str]:
    files = {OPERATOR: OPERATOR, **{service: f"{service}-bus" for service in PRODUCERS}}
    return {user: (directory / file).read_text().strip() for user, file in files.items()}


if __name__ == "__main__":
    json.dump(definitions(read_passwords(Path(sys.argv[1]))), sys.stdout, indent=2)
