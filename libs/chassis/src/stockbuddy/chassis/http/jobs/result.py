"""Stores the response to the request of a job in parts, while the route sends it."""

import json
from typing import Any

from starlette.types import Message

from stockbuddy.chassis.http.jobs import queries
from stockbuddy.chassis.http.jobs.lease import JobLease
from stockbuddy.chassis.http.jobs.model import MAX_RESULT_BYTES, ResultLimitExceeded
from stockbuddy.chassis.postgres.database import Database

PART_BYTES = 1024 * 1024
_OWN_HEADERS = frozenset({"content-type", "content-disposition"})


class ResultWriter:
    """The `send` of an ASGI application. The body of an error response is kept in memory."""

    def __init__(self, database: Database, lease: JobLease) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.error_body = b""
        self._database = database
        self._lease = lease
        self._buffer = bytearray()
        self._parts = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = ((name.decode().lower(), value.decode("latin-1")) for name, value in message["headers"])
            self.headers = {name: value for name, value in headers if name in _OWN_HEADERS}
        elif self.status == 200:
            await self._store(message.get("body", b""))
        else:
            self.error_body += message.get("body", b"")

    async def flush(self) -> None:
        """Store the rest."""
        if self._buffer:
            await self._store_part(bytes(self._buffer))
            self._buffer.clear()

    def problem(self) -> dict[str, Any]:
        """The error response as the `problem` of the job."""
        document = json.loads(self.error_body)
        return {"status": self.status, "code": document["code"], "detail": document["detail"]}

    async def _store(self, content: bytes) -> None:
        """Raises ResultLimitExceeded, LeaseLost."""
        self._buffer += content
        while len(self._buffer) >= PART_BYTES:
            await self._store_part(bytes(self._buffer[:PART_BYTES]))
            del self._buffer[:PART_BYTES]

    async def _store_part(self, content: bytes) -> None:
        if (self._parts + 1) * PART_BYTES > MAX_RESULT_BYTES:
            raise ResultLimitExceeded
        async with self._database.transaction() as session:
            await queries.insert_part(session, self._lease.job, self._parts, content)
            await self._lease.renew(session)
        self._parts += 1
