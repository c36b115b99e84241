"""The base classes of all errors. `errors` has one generated class for each `code` of the API."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NotRequired, TypedDict


class Shortage(TypedDict):
    """What a sale or another posting requests of a product, and what is available."""

    product_id: int
    sku: str
    warehouse_id: int
    requested: Decimal
    available: Decimal


class InvalidField(TypedDict):
    """`field`: a parameter's name or a path in the body, such as `lines.0.quantity`. `code`: what is wrong, such as
    `greater_than`; `values`: what `message` names, such as `{"gt": "0"}`. Earlier servers send neither."""

    field: str
    message: str
    code: NotRequired[str]
    values: NotRequired[dict[str, str]]


RFC_9457 = frozenset({"type", "title", "status", "detail", "instance", "code", "request_id"})


class StockbuddyError(Exception):
    """Every error of this library."""


class ConnectionFailed(StockbuddyError):
    """No usable response. `may_have_taken_effect`: whether the server may have received the request."""

    may_have_taken_effect = True


class DeadlineExceeded(ConnectionFailed):
    """The deadline of the call passed, retries included."""


class InvalidResponse(StockbuddyError):
    """The response is not what the API sends, such as the page of a proxy."""


class ApiError(StockbuddyError):
    """The API's refusal: an RFC 9457 problem. `code` is stable; `detail` is for people; `request_id` finds the request
    in the server's logs. `problem` has all members; those of a code are also attributes of its class."""

    code: str = ""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code', '')}: {problem.get('detail', '')}")
        self.status = status
        self.code = problem.get("code") or self.code
        self.problem = problem
        self.detail: str = problem.get("detail", "")
        self.request_id: str | None = problem.get("request_id")
        self.may_have_taken_effect = False
        """An earlier attempt of this call may have reached the server."""
        for name, value in problem.items():
            if name not in RFC_9457:
                setattr(self, name, value)
