"""`stockbuddy doctor`: checks the server and its data, and gives advice for each fault."""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from typing import Any, Literal

import click
import httpx2 as httpx

from stockbuddy_client import Client, StockbuddyError
from stockbuddy_client.cli.context import client_of, json_option, url_of
from stockbuddy_client.cli.exit_codes import FAILED
from stockbuddy_client.cli.output import print_json, print_table
from stockbuddy_client.errors import Forbidden

MAX_CLOCK_DIFFERENCE_SECONDS = 30
TIMEOUT_SECONDS = 10.0
DOCUMENT_TIMEOUT_SECONDS = 120.0
API_VERSION = "1"


@dataclass(frozen=True, slots=True)
class Finding:
    check: str
    state: Literal["ok", "warning", "fault", "skipped"]
    detail: str


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Check the server, its services, the clocks, the account and the integrity of the data.

    The exit code is 1 if there is a fault.
    """
    findings = [asdict(one) for one in check_server(url_of(context))]
    if findings[0]["state"] != "fault":
        findings += [asdict(one) for one in check_data(client_of(context))]
    if as_json:
        print_json(findings)
    else:
        print_table(findings, ["state", "check", "detail"])
    if any(one["state"] == "fault" for one in findings):
        context.exit(FAILED)


def check_server(url: str) -> Iterator[Finding]:
    """The checks that need no credentials."""
    try:
        response = httpx.get(f"{url}/health/ready", timeout=TIMEOUT_SECONDS)
        health = response.json()
        services: dict[str, Any] = health["services"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        yield Finding("server", "fault", f"{url} does not respond as Stockbuddy: {error!r}. Start it, or set --url.")
        return
    yield Finding("server", "fault" if health["status"] == "unavailable" else "ok", f"{url} is {health['status']}")
    for name, service in services.items():
        for part, status in {"service": service["status"], **service.get("parts", {})}.items():
            if status != "ok":
                state: Literal["warning", "fault"] = "fault" if status == "unavailable" else "warning"
                yield Finding(f"{name} {part}", state, f"{status}; the logs of {name} have the reason")
    difference = abs((parsedate_to_datetime(response.headers["date"]) - datetime.now(UTC)).total_seconds())
    is_exact = difference <= MAX_CLOCK_DIFFERENCE_SECONDS
    advice = "" if is_exact else "; synchronise it: sales from the future are rejected"
    yield Finding("clock", "ok" if is_exact else "fault", f"{difference:.0f} s from the server's{advice}")
    yield check_version(url)


def check_version(url: str) -> Finding:
    """Versions of the API with an equal first number are compatible. The server composes its document when it is first
    requested, which may take seconds."""
    try:
        api = str(httpx.get(f"{url}/openapi.json", timeout=DOCUMENT_TIMEOUT_SECONDS).json()["info"]["version"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Finding("versions", "fault", f"{url}/openapi.json cannot be read: {error!r}")
    is_known = api.split(".", maxsplit=1)[0] == API_VERSION
    return Finding("versions", "ok" if is_known else "warning", f"API {api}, client {version('stockbuddy-client')}")


def check_data(client: Client) -> Iterator[Finding]:
    """The checks that need an account; the reports need an admin's."""
    client.request("GET", "/products", params={"page_size": 1})
    yield Finding("account", "ok", "the API key is accepted")
    yield check_report("stock", client, "/stock/integrity", lambda report: f"{report['differences']}")
    yield check_report("audit log", client, "/audit-logs/verify", lambda report: f"entry {report['first_bad_id']}")


def check_report(name: str, client: Client, path: str, describe: Callable[[Any], str]) -> Finding:
    try:
        report = client.request("GET", path)
    except Forbidden:
        return Finding(name, "skipped", "needs an admin's account")
    except StockbuddyError as error:
        return Finding(name, "fault", f"{path}: {error}")
    if report["ok"]:
        return Finding(name, "ok", "consistent")
    return Finding(name, "fault", f"{describe(report)}; see docs/runbook.md")
