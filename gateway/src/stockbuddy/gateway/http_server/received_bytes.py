"""Counts the bytes of a connection that the parser does not report: unfinished heads, chunk extensions, trailers."""

from enum import Enum

from stockbuddy.chassis.http.errors import BadRequest
from stockbuddy.gateway.http_server.request_head import MAX_HEAD_BYTES, Headers, HeadTooLarge, RequestHead

MAX_CHUNK_OVERHEAD_BYTES = 64 * 1024
BYTES_PER_CHUNK_HEADER = 16


class Stage(Enum):
    """What the next byte belongs to."""

    BETWEEN = "between requests"
    HEAD = "head"
    BODY = "body"


class ReceivedBytes:
    """Methods are called in the order of the parser's callbacks."""

    def __init__(self) -> None:
        self._packet = 0
        self._was_in_body = False
        self._is_one_head = False
        """Nothing in this packet precedes the head."""
        self._head = 0
        """Of an unfinished head, before this packet."""
        self._overhead = 0

    def begin_packet(self, size: int, stage: Stage) -> None:
        self._packet = size
        self._was_in_body = stage is Stage.BODY
        self._is_one_head = stage is not Stage.BODY

    def begin_head(self, stage: Stage) -> None:
        self._is_one_head = self._is_one_head and stage is Stage.BETWEEN
        self._head = 0

    def end_head(self, head: RequestHead) -> None:
        """Raises HeadTooLarge."""
        self._overhead = 0
        self._is_one_head = False
        if self._head + self._packet > MAX_HEAD_BYTES:
            head.check_size()

    def add_body(self, size: int) -> None:
        self._overhead -= size

    def add_chunk_header(self) -> None:
        self._overhead -= BYTES_PER_CHUNK_HEADER

    def end_packet(self, stage: Stage, url: bytes, headers: Headers) -> None:
        """`url` and `headers`: of the unfinished head. Raises HeadTooLarge, or BadRequest for chunk extensions or
        trailers without end."""
        if stage is Stage.HEAD:
            if self._head:
                self._head += self._packet
            elif self._is_one_head:
                self._head = self._packet
            else:  # at least; the rest of the packet belongs to requests before
                self._head = 1 + len(url) + sum(len(name) + len(value) for name, value in headers)
            if self._head > MAX_HEAD_BYTES:
                raise HeadTooLarge
        elif stage is Stage.BODY:
            self._overhead = self._overhead + self._packet if self._was_in_body else 0
            if self._overhead > MAX_CHUNK_OVERHEAD_BYTES:
                raise BadRequest("The chunk extensions or trailers are too large.")
