"""`python -m stockbuddy.embedded.replay FILE`: what `make replay FILE=…` runs."""

import argparse
import asyncio
import hashlib
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from stockbuddy.embedded.client import NoAccount, NotAnswering, connected
from stockbuddy.embedded.replay.history import DEFAULT_COLUMNS, History, read_history
from stockbuddy.embedded.replay.load import CONNECTIONS, OPENING_BATCH, Replay, ReplayFailed


def main() -> int:
    arguments = _arguments()
    try:
        history = read_history(arguments.file, {**DEFAULT_COLUMNS, **_columns(arguments.columns)})
        name = hashlib.sha256(arguments.file.read_bytes()).hexdigest()[:16]
        return asyncio.run(_replay(history, name))
    except (OSError, ValueError, NotAnswering, NoAccount, ReplayFailed) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted. Run it again: what was posted is known by its key and not posted twice.", file=sys.stderr)
        return 130


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="replay", description="Load a retailer's invoice history through the API.")
    parser.add_argument("file", type=Path, help="CSV or CSV.gz with a header line")
    parser.add_argument(
        "--columns",
        default="",
        metavar="invoice=Invoice,price=Price,…",
        help="columns that are called otherwise; ours: " + ", ".join(f"{k}={v}" for k, v in DEFAULT_COLUMNS.items()),
    )
    return parser.parse_args()


def _columns(text: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if unknown := [name for name, _, _ in pairs if name.strip() not in DEFAULT_COLUMNS]:
        raise ValueError(f"no such column of ours: {', '.join(unknown)}")
    return {name.strip(): column.strip() for name, _, column in pairs}


async def _replay(history: History, name: str) -> int:
    async with connected(CONNECTIONS) as client:
        with _progress_bars() as bars:
            tasks = {step: bars.add_task(step, total=None) for step in ("products", "opening stock", "invoices")}
            replay = Replay(client, history, name=name, progress=lambda step, done: bars.advance(tasks[step], done))
            stocked = sum(1 for product in replay.products if product.opening)
            totals = (len(replay.products), -(-stocked // OPENING_BATCH), len(history.invoices))
            for task, total in zip(tasks.values(), totals, strict=True):
                bars.update(task, total=total)
            outcome = await replay.run()
    print(outcome.text())
    return 0 if outcome.agrees else 1


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
