"""Printed once the system is ready: its URL, and how to register the first admin if there is none."""

import sys

from sqlalchemy.exc import DBAPIError

from stockbuddy.auth.users.queries import has_admin
from stockbuddy.chassis.messaging.outbox import open_database
from stockbuddy.chassis.runtime.companies import for_company
from stockbuddy.embedded.ports import url_of
from stockbuddy.embedded.settings import EmbeddedSettings


async def print_banners(settings: EmbeddedSettings, port: int, database_url: str) -> None:
    """For each company, which has an address of its own. `port`: where the system listens."""
    for company in settings.selected:
        url = url_of(settings.host, port) if company is None else settings.company_url(company, port)
        await print_banner(url, for_company(database_url, company))


async def print_banner(url: str, database_url: str) -> None:
    database = open_database(database_url, "auth", pool_size=1)
    needs_admin = False
    try:
        async with database.transaction() as session:
            needs_admin = not await has_admin(session)
    except (OSError, DBAPIError):
        pass  # the system is ready all the same
    finally:
        await database.close()
    print(banner(url, needs_admin=needs_admin), file=sys.stderr, flush=True)


def banner(url: str, *, needs_admin: bool) -> str:
    ready = f"\nStockbuddy is ready at {url} (API documentation: {url}/docs). Ctrl-C stops it.\n"
    if not needs_admin:
        return ready
    return f"""{ready}
Register the first admin, once, at {url} or with:
  curl -s {url}/api/v1/auth/admin/register -H 'Content-Type: application/json' \\
    -d '{{"username": "ann", "email": "ann@example.com", "password": "choose-a-Long-one-7"}}'
"""
