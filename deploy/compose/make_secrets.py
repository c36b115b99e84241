"""Generates the secrets of a compose deployment on its first start, in one volume per reader.

Passwords are stored in the volume `administration`; the files that services read are written from them at each start.
In development, secrets are generated automatically and marked, so that production rejects them; in production, `--make`
is required.
"""

import argparse
import hmac
import json
import os
import secrets
import sys
from pathlib import Path

from stockbuddy.chassis.messaging.bus.amqp.definitions import OPERATOR, definitions, read_passwords
from stockbuddy.chassis.runtime.weak_secrets import DEVELOPMENT_SECRET_PREFIX
from stockbuddy.contracts.topology import PRODUCERS

PREFIX = DEVELOPMENT_SECRET_PREFIX + "-"
NAMES = (
    "superuser",
    OPERATOR,
    "secret_key",
    *(f"{service}{suffix}" for service in PRODUCERS for suffix in ("", "-owner", "-bus")),
)

NOT_GENERATED = """\
ENV=production does not generate secrets automatically. Generate them once:
  ENV=production docker compose run --rm secrets --make
"""
DEVELOPMENT_SECRETS_FOUND = """\
ENV=production, but these volumes have the development secrets of an earlier start.
Start production as a separate project (docker compose --project-name …), or delete the existing data
(docker compose down --volumes).
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="secrets", description="Generate or check the secrets of this deployment.")
    parser.add_argument("--make", action="store_true", help="generate missing secrets, in production too")
    parser.add_argument("--volumes", type=Path, default=Path("/secrets"), help="the folder of the volumes")
    parser.add_argument("--reader", type=int, default=10001, help="user id that the images run as")
    options = parser.parse_args(arguments)
    is_production = os.environ.get("ENV", "production") == "production"
    administration = options.volumes / "administration"
    existing = {name for name in NAMES if (administration / name).exists()}
    if is_production and any((administration / name).read_text().startswith(PREFIX) for name in existing):
        return _fail(DEVELOPMENT_SECRETS_FOUND)
    if is_production and len(existing) < len(NAMES) and not options.make:
        return _fail(NOT_GENERATED)
    for name in NAMES:
        if name not in existing:
            write(administration / name, ("" if is_production else PREFIX) + secrets.token_urlsafe(32))
    write_volumes(options.volumes, reader=options.reader)
    sys.stderr.write(f"secrets: {len(NAMES) - len(existing)} generated, {len(existing)} kept\n")
    return 0


def _fail(reason: str) -> int:
    sys.stderr.write(reason)
    return 1


def write_volumes(volumes: Path, *, reader: int) -> None:
    """Write the files that each container reads in /run/secrets, named like settings."""
    administration = volumes / "administration"
    passwords = {name: (administration / name).read_text() for name in NAMES}
    for service in PRODUCERS:
        bus_url = f"amqp://{service}:{passwords[f'{service}-bus']}@rabbitmq:5672/"
        owner_url = database_url(f"{service}_owner", passwords[f"{service}-owner"])
        write(volumes / service / "database_url", database_url(service, passwords[service]), owner=reader)
        write(volumes / service / "bus_url", bus_url, owner=reader)
        write(volumes / f"{service}-owner" / "database_url", owner_url, owner=reader)
    roles = "".join(f'"{service}" "{passwords[service]}"\n' for service in PRODUCERS)
    write(volumes / "pgbouncer" / "userlist.txt", roles, owner=reader)
    for volume in ("auth", "auth-owner"):  # auth requires it, also to migrate
        write(volumes / volume / "secret_key", passwords["secret_key"], owner=reader)
    for volume in ("auth", "auth-owner", "gateway"):
        write(volumes / volume / "gateway_secret", derive(passwords["secret_key"], "gateway_secret"), owner=reader)
    for volume in ("notifications", "notifications-owner"):
        write(volumes / volume / "secret_key", derive(passwords["secret_key"], "notifications"), owner=reader)
    # A backup contains the passwords, from which a restore writes the other files.
    write(volumes / "backup" / "database_url", database_url("postgres", passwords["superuser"]), owner=reader)
    for name, password in passwords.items():
        write(volumes / "backup" / name, password, owner=reader)
    # Readable by all: the user id of the broker depends on its image. Passwords are hashed, and only it mounts this.
    broker = json.dumps(definitions(read_passwords(administration)))
    write(volumes / "rabbitmq" / "definitions.json", broker, mode=0o444)


def derive(secret_key: str, purpose: str) -> str:
    """Derived, so that an upgrade needs no new secret. Its readers cannot compute `secret_key` from it."""
    derived = hmac.digest(secret_key.encode(), f"stockbuddy {purpose}".encode(), "sha256").hex()
    return (PREFIX if secret_key.startswith(PREFIX) else "") + derived


def database_url(role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@postgres:5432/stockbuddy"


def write(path: Path, content: str, *, owner: int | None = None, mode: int = 0o400) -> None:
    """Write atomically; by default readable by this user only."""
    path.parent.mkdir(mode=0o755, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    unfinished.touch(mode=0o600)
    unfinished.write_text(content)
    if owner is not None:
        os.chown(unfinished, owner, -1)
    unfinished.chmod(mode)
    unfinished.rename(path)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
