"""Makes the secrets of a compose system on its first start, each into a volume that only those see who need it.

Passwords are made in `administration`; what services read is written from them each time. In development they are made
unasked and marked, so that no production takes them for its own; in production they are made when somebody says so.
"""

import argparse
import json
import os
import secrets
import sys
from pathlib import Path

from stockbuddy.chassis.messaging.bus.amqp.definitions import OPERATOR, definitions, read_passwords
from stockbuddy.chassis.runtime.settings import DEVELOPMENT_SECRET_MARK
from stockbuddy.contracts.topology import PRODUCERS

MARK = DEVELOPMENT_SECRET_MARK + "-"
NAMES = (
    "superuser",
    OPERATOR,
    "secret_key",
    *(f"{service}{suffix}" for service in PRODUCERS for suffix in ("", "-owner", "-bus")),
)

NONE_YET = """\
ENV=production takes no secrets that were made unasked. Make its own, once:
  ENV=production docker compose run --rm secrets --make
"""
FOR_DEVELOPMENT = """\
ENV=production, but these volumes belong to a system that was started for development: its secrets are marked so.
Start production as a project of its own (docker compose --project-name …), or give up what is there
(docker compose down --volumes).
"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="secrets", description="Make or check this system's secrets.")
    parser.add_argument("--make", action="store_true", help="make what is missing, in production too")
    parser.add_argument("--volumes", type=Path, default=Path("/secrets"), help="where they are mounted")
    parser.add_argument("--reader", type=int, default=10001, help="whom the images run as")
    options = parser.parse_args(arguments)
    is_production = os.environ.get("ENV", "production") == "production"
    administration = options.volumes / "administration"
    there = {name for name in NAMES if (administration / name).exists()}
    if is_production and any((administration / name).read_text().startswith(MARK) for name in there):
        return _refuse(FOR_DEVELOPMENT)
    if is_production and len(there) < len(NAMES) and not options.make:
        return _refuse(NONE_YET)
    for name in NAMES:
        if name not in there:
            write(administration / name, ("" if is_production else MARK) + secrets.token_urlsafe(32))
    hand_out(options.volumes, reader=options.reader)
    sys.stderr.write(f"secrets: {len(NAMES) - len(there)} made, {len(there)} kept\n")
    return 0


def _refuse(why: str) -> int:
    sys.stderr.write(why)
    return 1


def hand_out(volumes: Path, *, reader: int) -> None:
    """Write what each container reads at /run/secrets; file names are those of settings."""
    administration = volumes / "administration"
    passwords = {name: (administration / name).read_text() for name in NAMES}
    for service in PRODUCERS:
        bus_url = f"amqp://{service}:{passwords[f'{service}-bus']}@rabbitmq:5672/"
        owners_url = database_url(f"{service}_owner", passwords[f"{service}-owner"])
        write(volumes / service / "database_url", database_url(service, passwords[service]), owner=reader)
        write(volumes / service / "bus_url", bus_url, owner=reader)
        write(volumes / f"{service}-owner" / "database_url", owners_url, owner=reader)
    for volume in ("auth", "auth-owner"):  # Auth does not start without, not even to migrate.
        write(volumes / volume / "secret_key", passwords["secret_key"], owner=reader)
    # Hashes alone, and nobody but the broker has this volume; as whom it runs is its image's affair.
    broker = json.dumps(definitions(read_passwords(administration)))
    write(volumes / "rabbitmq" / "definitions.json", broker, mode=0o444)


def database_url(role: str, password: str) -> str:
    return f"postgresql://{role}:{password}@postgres:5432/stockbuddy"


def write(path: Path, content: str, *, owner: int | None = None, mode: int = 0o400) -> None:
    """Whole or not at all; by default for us alone."""
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
