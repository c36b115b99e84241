"""`stockbuddy import` and `stockbuddy export`: products from and to CSV and XLSX files."""

import sys
from pathlib import Path
from time import sleep
from typing import Any, BinaryIO

import click
import httpx2 as httpx
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stockbuddy_client import Client
from stockbuddy_client.cli.context import client_of, json_option
from stockbuddy_client.cli.exit_codes import FAILED
from stockbuddy_client.cli.output import print_json

POLL_SECONDS = 0.5
UPLOAD_TIMEOUT_SECONDS = 300.0
COUNTS = ("created", "updated", "skipped", "failed")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check all rows, change nothing.")
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path), help="File for the rows that failed.")
@json_option
@click.pass_context
def import_file(context: click.Context, file: Path, errors: Path | None, *, dry_run: bool, as_json: bool) -> None:
    """Import products from a CSV or XLSX file, also from exports of other shop systems.

    The exit code is 1 if a row failed; the others are imported nevertheless.
    """
    client = client_of(context)
    job = wait_for(client, upload(client, file, dry_run=dry_run))
    if errors and job["errors_url"]:
        errors.write_bytes(client.request("GET", f"/imports/{job['id']}/errors"))
    if as_json:
        print_json(job)
    else:
        click.echo(", ".join(f"{job[name]} {name}" for name in COUNTS) + (" (dry run)" if dry_run else ""))
    if job["state"] == "failed" or job["failed"]:
        advice = "" if errors else "; --errors FILE writes the failed rows with their problems"
        rows = "1 row" if job["failed"] == 1 else f"{job['failed']} rows"
        click.echo(job["problem"] or f"{rows} failed{advice}.", err=True)
        context.exit(FAILED)


def upload(client: Client, file: Path, *, dry_run: bool) -> dict[str, Any]:
    """Create an import job. The form is encoded once, so that a retry sends the same bytes."""
    form = httpx.Request("POST", "http://form", files={"file": (file.name, file.read_bytes())})
    job: dict[str, Any] = client.request(
        "POST", "/imports", params={"dry_run": dry_run}, content=form.read(),
        headers={"Content-Type": form.headers["content-type"]}, timeout_seconds=UPLOAD_TIMEOUT_SECONDS,
    )  # fmt: skip
    return job


def wait_for(client: Client, job: dict[str, Any]) -> dict[str, Any]:
    """Return the finished job; show its progress on standard error until then."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bars:
        bar = bars.add_task("rows", total=None)
        while job["state"] in ("queued", "running"):
            bars.update(bar, total=job["total"], completed=job["done"])
            sleep(POLL_SECONDS)
            job = client.request("GET", f"/imports/{job['id']}")
    return job


@click.command()
@click.option(
    "--format", "file_format", type=click.Choice(["csv", "xlsx"]), help="Default: by the name of the file, else CSV."
)
@click.option("--output", type=click.File("wb", lazy=True), default="-", help="The file; default: standard output.")
@click.pass_context
def export(context: click.Context, file_format: str | None, output: BinaryIO) -> None:
    """Export all products; the file imports again unchanged."""
    guessed = "xlsx" if output.name.endswith(".xlsx") else "csv"
    content = client_of(context).request("GET", "/products/export", params={"format": file_format or guessed})
    output.write(content)
