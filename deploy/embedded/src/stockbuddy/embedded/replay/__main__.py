"""`python -m stockbuddy.embedded.replay FILE`: imports an invoice history (`make replay FILE=…`)."""

import argparse
import asyncio
import hashlib
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stockbuddy.embedded.accounts import connect
from stockbuddy.embedded.api_client import ApiUnavailable, LoginFailed
from stockbuddy.embedded.replay.history import DEFAULT_COLUMNS, History, read_history
from stockbuddy.embedded.replay.importer import BATCH_SIZE, CONNECTIONS, HistoryImporter, ImportFailed

DESCRIPTION = "Imports a retailer's invoice history through the API."


def main() -> int:
    arguments = _arguments()
    try:
        history = read_history(arguments.file, {**DEFAULT_COLUMNS, **_columns(arguments.columns)})
        name = hashlib.sha256(arguments.file.read_bytes()).hexdigest()[:16]
        return asyncio.run(_import(history, name))
    except (OSError, ValueError, ApiUnavailable, LoginFailed, ImportFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again to continue; nothing is posted twice.", file=sys.stderr)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="stockbuddy replay", description=DESCRIPTION)
    parser.add_argument("file", type=Path, help="CSV or CSV.gz with a header line")
    parser.add_argument(
        "--columns",
        default="",
        metavar="invoice=Invoice,price=Price,…",
        help="names of the file's columns that differ from the defaults: "
        + ", ".join(f"{k}={v}" for k, v in DEFAULT_COLUMNS.items()),
    )
    return parser.parse_args()


def _columns(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if unknown := [name for name, _, _ in pairs if name.strip() not in DEFAULT_COLUMNS]:
        raise ValueError(f"unknown field in --columns: {', '.join(unknown)}")
    return {name.strip(): column.strip() for name, _, column in pairs}


async def _import(history: History, name: str) -> int:
    async with connect(CONNECTIONS) as client:
        with _progress_bars() as bars:
            tasks = {step: bars.add_task(step, total=None) for step in ("products", "opening stock", "invoices")}
            importer = HistoryImporter(
                client, history, name=name, progress=lambda step, done: bars.advance(tasks[step], done)
            )
            stocked = sum(1 for product in importer.products if product.opening_stock)
            totals = (len(importer.products), -(-stocked // BATCH_SIZE), len(history.invoices))
            for task, total in zip(tasks.values(), totals, strict=True):
                bars.update(task, total=total)
            report = await importer.run()
    print(report.text())
    return 0 if report.totals_agree else 1


def _progress_bars() -> Progress:
    return Progress(
        TextColumn("{task.description:<14}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
    )


if __name__ == "__main__":
    sys.exit(main())
