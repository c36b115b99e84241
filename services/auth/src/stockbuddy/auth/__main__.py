"""Command line of auth: without arguments it serves; `rotate-keys` and `setup-token` are its own commands."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.app import MIGRATIONS, SERVICE
from stockbuddy.auth.bootstrap.commands import create_bootstrap_token
from stockbuddy.auth.crypto import SecretBox
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.commands import rotate_keys
from stockbuddy.chassis.http import command_line
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.runtime.settings import load_settings_of_companies_or_exit, only_company


def main(arguments: list[str]) -> None:
    companies = load_settings_of_companies_or_exit(AuthSettings)
    commands = {"rotate-keys": rotate_signing_keys, "setup-token": replace_bootstrap_token}
    command = commands.get(arguments[0]) if len(arguments) == 1 else None
    if command is None:
        command_line.main(SERVICE, companies, MIGRATIONS, arguments)
        return
    settings = only_company(companies)
    with command_line.describing_outages(settings):
        asyncio.run(command(settings))


async def rotate_signing_keys(settings: AuthSettings) -> None:
    activation_delay = timedelta(seconds=settings.signing_key_activation_delay_seconds)
    async with _transaction(settings) as session:
        key = await rotate_keys(session, SecretBox(settings.secret_key), activation_delay=activation_delay)
    sys.stdout.write(f"Key {key.kid} is published and signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC.\n")


async def replace_bootstrap_token(settings: AuthSettings) -> None:
    """Print a new token, for an operator who lost the one that the first start logged."""
    async with _transaction(settings) as session:
        token = await create_bootstrap_token(session, replace=True)
    sys.stdout.write(f"setup_token: {token}\n" if token else "An admin exists already; log in as an admin.\n")


@asynccontextmanager
async def _transaction(settings: AuthSettings) -> AsyncIterator[AsyncSession]:
    database = open_database(settings.database_url, SERVICE.name, pool_size=1)
    try:
        async with database.transaction() as session:
            yield session
    finally:
        await database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
