"""`stockbuddy listen`: forwards events to a local port as a webhook would, in order and with real signatures."""

import base64
import secrets
from time import sleep
from typing import Any

import click
import httpx2 as httpx

from stockbuddy_client import retries, webhooks
from stockbuddy_client.cli.context import client_of
from stockbuddy_client.cli.output import to_json

FORWARD_TIMEOUT_SECONDS = 30.0


@click.command()
@click.option(
    "--forward-to", metavar="URL", help="Where to post the events; without it they are printed as JSON lines."
)
@click.option("--types", default="", help="Patterns, separated by commas: stock.sale.*,catalog.*")
@click.option("--after", metavar="CURSOR", help="Begin after this position instead of now.")
@click.option("--secret", envvar="STOCKBUDDY_WEBHOOK_SECRET", help="Signing secret; default: a new one, printed.")
@click.option("--count", type=click.IntRange(1), help="Stop after this many events.")
@click.pass_context
def listen(context: click.Context, /, forward_to: str | None, types: str, after: str | None, **optional: Any) -> None:
    """Receive events as they happen.

    With --forward-to each event is posted with the signature of a webhook (Standard Webhooks), and repeated until the
    receiver responds; the status of its response is printed with the cursor. To continue where a run ended, pass its
    last cursor to --after.
    """
    stream = client_of(context).events.stream(after=after, types=[one for one in types.split(",") if one])
    secret = optional["secret"] or f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"
    if forward_to and not optional["secret"]:
        click.echo(f"Signing secret: {secret}", err=True)
    with httpx.Client(timeout=FORWARD_TIMEOUT_SECONDS) as http:
        for number, event in enumerate(stream, start=1):
            if forward_to is None:
                click.echo(to_json(event))
            elif event["type"] != "stream.reset":
                status = forward(http, forward_to, secret, event)
                click.echo(f"{status} {event['type']} {event.get('subject') or ''} (cursor {stream.cursor})")
            if number == optional["count"]:
                break


def forward(http: httpx.Client, url: str, secret: str, event: Any) -> int:
    """The status of the receiver's response. Repeats until there is one."""
    fields = {"id": event["id"], "type": event["type"], "timestamp": event["time"], "subject": event.get("subject")}
    body = to_json({**fields, "data": event["data"]}).encode()
    attempt = 0
    while True:
        headers = {"Content-Type": "application/json", **webhooks.sign(event["id"], body, secret)}
        try:
            return http.post(url, content=body, headers=headers).status_code
        except httpx.TransportError as error:
            attempt += 1
            if attempt == 1:
                click.echo(f"{url} cannot be reached ({error}); trying again.", err=True)
            sleep(retries.delay_seconds(attempt, None))
