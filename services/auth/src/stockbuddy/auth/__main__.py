"""`python -m stockbuddy.auth` serves; `migrate`, `rotate-keys` and `setup-token` do one thing and end."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.app import MIGRATIONS, SERVICE
from stockbuddy.auth.bootstrap.commands import make_setup_token
from stockbuddy.auth.crypto import Seal
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.signing.commands import rotate_keys
from stockbuddy.chassis.http import command_line
from stockbuddy.chassis.postgres.database import Database


def main(arguments: list[str]) -> None:
    settings = AuthSettings()
    if arguments == ["rotate-keys"]:
        asyncio.run(rotate_signing_keys(settings))
    elif arguments == ["setup-token"]:
        asyncio.run(renew_setup_token(settings))
    else:
        command_line.main(SERVICE, settings, MIGRATIONS, arguments)


async def rotate_signing_keys(settings: AuthSettings) -> None:
    ahead = timedelta(seconds=settings.signing_key_ahead_seconds)
    async with _transaction(settings) as session:
        key = await rotate_keys(session, Seal(settings.secret_key), ahead=ahead)
    sys.stdout.write(f"key {key.kid} is published now and signs from {key.signs_from:%Y-%m-%d %H:%M:%S} UTC\n")


async def renew_setup_token(settings: AuthSettings) -> None:
    """For an operator who has lost the one that the first start printed."""
    async with _transaction(settings) as session:
        token = await make_setup_token(session, again=True)
    sys.stdout.write(f"setup_token: {token}\n" if token else "There is an admin already; log in as that one.\n")


@asynccontextmanager
async def _transaction(settings: AuthSettings) -> AsyncIterator[AsyncSession]:
    database = Database(settings.database_url, SERVICE.name, pool_size=1)
    try:
        async with database.transaction() as session:
            yield session
    finally:
        await database.close()


if __name__ == "__main__":
    main(sys.argv[1:])
