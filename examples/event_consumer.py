"""A consumer of events over HTTP that stores its position: adds up what was sold of each product, each sale once.

pip install stockbuddy-client; then STOCKBUDDY_URL=… STOCKBUDDY_API_KEY=sbk_… python examples/event_consumer.py FILE
"""

import os
import sqlite3
import sys
from decimal import Decimal
from typing import Any

from stockbuddy_client import ApiKey, Client

SCHEMA = """
CREATE TABLE IF NOT EXISTS totals (sku TEXT PRIMARY KEY, quantity TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS position (id INTEGER PRIMARY KEY CHECK (id = 1), cursor TEXT NOT NULL);
"""


def add(database: sqlite3.Connection, event: Any, cursor: str) -> None:
    """The totals and the cursor change in one transaction: a sale that comes again after a crash is not added again."""
    with database:
        for line in event["data"]["lines"]:
            row = database.execute("SELECT quantity FROM totals WHERE sku = ?", (line["sku"],)).fetchone()
            total = Decimal(row[0] if row else 0) + line["quantity"]
            database.execute("INSERT OR REPLACE INTO totals VALUES (?, ?)", (line["sku"], format(total, "f")))
            print(line["sku"], total, flush=True)
        database.execute("INSERT OR REPLACE INTO position VALUES (1, ?)", (cursor,))


def main() -> None:
    database = sqlite3.connect(sys.argv[1])
    database.executescript(SCHEMA)
    row = database.execute("SELECT cursor FROM position").fetchone()
    with Client(os.environ["STOCKBUDDY_URL"], credentials=ApiKey(os.environ["STOCKBUDDY_API_KEY"])) as client:
        stream = client.events.stream(after=row[0] if row else "0", types=["stock.sale.completed"])
        for event in stream:
            if event["type"] == "stream.reset":
                sys.exit("the server was restored from a backup: delete the totals and start again")
            assert stream.cursor is not None
            add(database, event, stream.cursor)


if __name__ == "__main__":
    main()
