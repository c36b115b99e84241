"""The durable queue of a till: one SQLite file, in which each step of a sale is one transaction."""

from __future__ import annotations

import base64
import secrets
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from stockbuddy_client import exact
from stockbuddy_client.problems import ApiError, StockbuddyError

State = Literal["waiting", "delivered", "refused"]
SCHEMA_VERSION = 1
KEPT_DAYS = 30
"""How long delivered sales are kept."""
SETTLING_SECONDS = 120
"""How long the server may still work on a request whose response was lost."""
SCHEMA = """
CREATE TABLE till (id TEXT NOT NULL);
CREATE TABLE sales (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    reference TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    owner TEXT NOT NULL,
    content BLOB NOT NULL,
    queued_at TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'refused')),
    sent_at TEXT,
    result BLOB
);
CREATE INDEX waiting_sales ON sales (owner, number) WHERE state = 'waiting';
"""


REFUSALS = frozenset({400, 403, 404, 409, 413, 422})
"""Statuses that concern one sale; others, such as 401 and 503, would concern the next one as well."""


class TillInUse(StockbuddyError):
    """Another process has opened the file of the till."""


class NotQueued(StockbuddyError, LookupError):
    """The till has no such sale in a state that the call accepts."""


@dataclass(frozen=True, slots=True)
class QueuedSale:
    """A sale of the till. `content`: the body of its request. `owner`: whose login delivers it. `sent_at`: when the
    latest attempt began. `result`: the sale as delivered, or the problem why it was refused."""

    number: int
    reference: str
    key: str
    owner: str
    content: bytes
    queued_at: datetime
    state: State
    sent_at: datetime | None
    result: Any

    @property
    def body(self) -> dict[str, Any]:
        return dict(exact.decode(self.content))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How many sales `deliver` delivered and set aside. `stopped_by`: why others still wait; None if none does."""

    delivered: int
    refused: int
    stopped_by: StockbuddyError | None


class SaleQueue:
    """The sales in a file, for all threads of one process. Raises TillInUse if another process has opened it."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, timeout=1, isolation_level=None, check_same_thread=False)
        try:
            self.till = self._open()
        except sqlite3.OperationalError as error:
            self._database.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise TillInUse(f"another process uses {path}") from error
            raise
        except BaseException:
            self._database.close()
            raise

    def _open(self) -> str:
        """Return the till's id, made with the file. The lock lasts until the file is closed or the process ends."""
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        with self._transaction() as database:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise StockbuddyError("a newer version of this library has written the file of the till")
            if version == 0:
                for statement in filter(str.strip, SCHEMA.split(";")):
                    database.execute(statement)
                identifier = base64.b32encode(secrets.token_bytes(5)).decode()
                database.execute("INSERT INTO till VALUES (?)", (identifier,))
                database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            oldest = datetime.now(UTC) - timedelta(days=KEPT_DAYS)
            database.execute("DELETE FROM sales WHERE state = 'delivered' AND queued_at < ?", (oldest.isoformat(),))
            return str(database.execute("SELECT id FROM till").fetchone()[0])

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield self._database
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def add(self, body: Mapping[str, Any], owner: str) -> QueuedSale:
        """Store a sale with a reference and the current time. It is durable when this returns."""
        now = datetime.now(UTC)
        with self._transaction() as database:
            query = "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'sales'"
            (number,) = database.execute(query).fetchone()
            reference = f"{self.till}-{number}-{secrets.token_hex(2)}"
            content = exact.encode({"occurred_at": now, **body, "reference": reference})
            key = str(uuid.uuid4())
            database.execute(
                "INSERT INTO sales (number, reference, key, owner, content, queued_at) VALUES (?, ?, ?, ?, ?, ?)",
                (number, reference, key, owner, content, now.isoformat()),
            )
        return QueuedSale(number, reference, key, owner, content, now, "waiting", None, None)

    def find_next(self, owner: str) -> QueuedSale | None:
        """The oldest sale of this user that waits."""
        found = self._select("state = 'waiting' AND owner = ? ORDER BY number LIMIT 1", owner)
        return found[0] if found else None

    def list_sales(self, state: State | None) -> list[QueuedSale]:
        return self._select("coalesce(state = ?, true) ORDER BY number", state)

    def _select(self, condition: str, value: str | None) -> list[QueuedSale]:
        columns = "number, reference, key, owner, content, queued_at, state, sent_at, result"
        with self._lock:
            rows = self._database.execute(f"SELECT {columns} FROM sales WHERE {condition}", (value,)).fetchall()
        return [_to_sale(row) for row in rows]

    def mark_sent(self, sale: QueuedSale) -> None:
        """Record that the server may have the sale from now on."""
        with self._transaction() as database:
            values = (datetime.now(UTC).isoformat(), sale.number)
            database.execute("UPDATE sales SET sent_at = ? WHERE number = ?", values)

    def mark_delivered(self, sale: QueuedSale, response: Any) -> None:
        self._settle(sale, "delivered", exact.encode(response))

    def mark_refused(self, sale: QueuedSale, error: ApiError) -> None:
        self._settle(sale, "refused", exact.encode({"status": error.status, **error.problem}))

    def _settle(self, sale: QueuedSale, state: State, result: bytes) -> None:
        with self._transaction() as database:
            values = (state, result, sale.number)
            database.execute("UPDATE sales SET state = ?, result = ? WHERE number = ? AND state = 'waiting'", values)

    def requeue(self, reference: str, owner: str) -> None:
        """Let a user deliver a refused sale, or one of another user. Raises NotQueued for a delivered sale and for one
        that was sent within the last SETTLING_SECONDS, since the server may be about to accept it."""
        settled = (datetime.now(UTC) - timedelta(seconds=SETTLING_SECONDS)).isoformat()
        statement = (
            "UPDATE sales SET state = 'waiting', result = NULL, owner = :owner WHERE reference = :reference AND "
            "(state = 'refused' OR state = 'waiting' AND (owner = :owner OR coalesce(sent_at < :settled, true)))"
        )
        self._change_one(statement, {"owner": owner, "settled": settled, "reference": reference})

    def discard(self, reference: str) -> None:
        """Delete a refused sale. Raises NotQueued for any other."""
        statement = "DELETE FROM sales WHERE reference = :reference AND state = 'refused'"
        self._change_one(statement, {"reference": reference})

    def _change_one(self, statement: str, values: Mapping[str, str]) -> None:
        with self._transaction() as database:
            if database.execute(statement, values).rowcount != 1:
                raise NotQueued(values["reference"])

    def close(self) -> None:
        with self._lock:
            self._database.close()


def _to_sale(row: tuple[Any, ...]) -> QueuedSale:
    number, reference, key, owner, content, queued_at, state, sent_at, result = row
    return QueuedSale(
        number, reference, key, owner, content, datetime.fromisoformat(queued_at), state,
        datetime.fromisoformat(sent_at) if sent_at else None, exact.decode(result) if result else None,
    )  # fmt: skip
