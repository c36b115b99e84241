"""`stockbuddy login` creates and stores an API key, which outlasts a session; `stockbuddy logout` deletes it."""

import contextlib
import os
import platform
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from stockbuddy_client import ApiKey, Client
from stockbuddy_client.cli.accounts import Account, AccountFile
from stockbuddy_client.cli.context import NotLoggedIn, url_of
from stockbuddy_client.errors import NotFound, SecondFactorRequired, SecondFactorSetupRequired

KEY_LIFETIME_DAYS = 90


@click.command()
@click.option("--username", envvar="STOCKBUDDY_USERNAME", help="User name or e-mail address.")
@click.option("--with-key", is_flag=True, help="Read an API key from standard input instead of logging in.")
@click.pass_context
def login(context: click.Context, username: str | None, *, with_key: bool) -> None:
    """Log in, and store an API key for 90 days.

    The password is asked for, or taken from STOCKBUDDY_PASSWORD.
    """
    url = url_of(context)
    account = _account_of_key(url) if with_key else _new_key(url, username)
    AccountFile().store(url, account)
    click.echo(f"Logged in at {url} as {account.username}.")


def _account_of_key(url: str) -> Account:
    key = sys.stdin.readline().strip()
    with Client(url, credentials=ApiKey(key)) as client:
        client.request("GET", "/products", params={"page_size": 1})
    return Account("an API key", key, None)


def _new_key(url: str, username: str | None) -> Account:
    username = username or str(click.prompt("User name or e-mail address", err=True))
    password = os.environ.get("STOCKBUDDY_PASSWORD") or str(click.prompt("Password", hide_input=True, err=True))
    with Client(url) as client:
        user = log_in(client, username, password)
        expires_at = (datetime.now(UTC) + timedelta(days=KEY_LIFETIME_DAYS)).isoformat()
        key = client.api_keys.create({"name": f"stockbuddy on {platform.node()}"[:100], "expires_at": expires_at})
        client.logout()
    return Account(user["username"], key["key"], key["id"])


def log_in(client: Client, username: str, password: str) -> dict[str, Any]:
    """Log in, and ask for a code if the user has a second factor."""
    try:
        return dict(client.login(username, password))
    except SecondFactorRequired as error:
        code = str(click.prompt("Code of your authenticator app, or a recovery code", err=True))
        return dict(client.complete_login(error.challenge, code))
    except SecondFactorSetupRequired as error:
        raise NotLoggedIn("Your role requires a second factor: set it up in the web console, then log in.") from error


@click.command()
@click.pass_context
def logout(context: click.Context) -> None:
    """Delete the stored API key, here and on the server.

    Deleting it on the server takes the password, because an API key may not delete keys. With an empty password the
    key is deleted only here, and stays valid until it expires.
    """
    url, file = url_of(context), AccountFile()
    account = file.find(url)
    if account is None:
        click.echo(f"Not logged in at {url}.")
        return
    if account.key_id is not None:
        _delete_key(url, account, account.key_id)
    file.delete(url)
    click.echo(f"Logged out at {url}.")


def _delete_key(url: str, account: Account, key_id: int) -> None:
    password = os.environ.get("STOCKBUDDY_PASSWORD")
    if password is None:
        password = str(click.prompt(f"Password of {account.username}", hide_input=True, default="", show_default=False))
    if not password:
        click.echo(f"The key {key_id} stays valid until it expires.", err=True)
        return
    with Client(url) as client:
        log_in(client, account.username, password)
        # It may have been deleted elsewhere.
        with contextlib.suppress(NotFound):
            client.api_keys.delete(key_id)
        client.logout()
