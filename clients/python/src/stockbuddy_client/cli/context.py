"""What the commands share: options, the client, and messages and exit codes of failures."""

import os
from collections.abc import Mapping

import click

from stockbuddy_client import ApiError, ApiKey, Client, ConnectionFailed, StockbuddyError
from stockbuddy_client.cli.accounts import AccountFile
from stockbuddy_client.cli.exit_codes import FAILED, NOT_PERMITTED, UNAVAILABLE

json_option = click.option("--json", "as_json", is_flag=True, help="JSON, with the fields of the API.")


class NotLoggedIn(click.ClickException):
    exit_code = NOT_PERMITTED


def url_of(context: click.Context) -> str:
    """The server's URL: from --url, STOCKBUDDY_URL, or the latest login."""
    given: str | None = context.find_root().params.get("url")
    return (given or AccountFile().default_url()).rstrip("/")


def client_of(context: click.Context) -> Client:
    """A client with the API key of STOCKBUDDY_API_KEY, or else of the login; closed after the command."""
    url = url_of(context)
    account = AccountFile().find(url)
    key = os.environ.get("STOCKBUDDY_API_KEY") or (account.key if account else None)
    if key is None:
        raise NotLoggedIn(f"Not logged in at {url}: run `stockbuddy login`, or set STOCKBUDDY_API_KEY.")
    return context.with_resource(Client(url, credentials=ApiKey(key)))


def describe(error: StockbuddyError) -> str:
    """A failure as a message for people."""
    if not isinstance(error, ApiError):
        return str(error)
    lines = [error.detail or f"The server responded with {error.status}."]
    lines += [f"  {one['field']}: {one['message']}" for one in error.problem.get("errors", ())]
    for one in error.problem.get("shortages", ()):
        lines.append(f"  {one['sku']}: {one['requested']} requested, {one['available']} available")
    return "\n".join([*lines, f"({error.status} {error.code}, request {error.request_id})"])


def exit_code_of(error: StockbuddyError) -> int:
    status = error.status if isinstance(error, ApiError) else 0
    if status in (401, 403):
        return NOT_PERMITTED
    if isinstance(error, ConnectionFailed) or status in (429, 502, 503, 504):
        return UNAVAILABLE
    return FAILED


def given(options: Mapping[str, str | None]) -> dict[str, str]:
    """The fields of the options that were given."""
    return {field: value for field, value in options.items() if value is not None}
