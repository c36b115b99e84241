"""Lists as api.md gives them: by page number, or by a cursor that stays stable while rows come and go."""

import base64
import json
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from stockbuddy.chassis.errors import Unprocessable

Item = TypeVar("Item")

DEFAULT_PAGE_SIZE = 20
LARGEST_PAGE_SIZE = 100


class Page(BaseModel, Generic[Item]):
    """One page of a list. `total` counts the whole list; `next_cursor` is null on the last page."""

    items: list[Item]
    page: int
    page_size: int
    total: int
    next_cursor: str | None


class Paging:
    """Which part of a list is asked for. With a cursor, `page` says nothing."""

    def __init__(
        self,
        page: Annotated[int, Query(ge=1, le=1_000_000_000)] = 1,
        page_size: Annotated[int, Query(ge=1, le=LARGEST_PAGE_SIZE)] = DEFAULT_PAGE_SIZE,
        cursor: Annotated[str | None, Query(max_length=2000)] = None,
    ) -> None:
        self.page = page
        self.page_size = page_size
        self.cursor = cursor

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.page_size

    def after(self, sort: str) -> list[Any] | None:
        """The last row's sort key that the cursor holds, or None without a cursor.
        Raises Unprocessable for a cursor that is not ours or belongs to another sort."""
        if self.cursor is None:
            return None
        try:
            stored = json.loads(base64.urlsafe_b64decode(self.cursor + "=="))
            if stored["sort"] == sort and isinstance(stored["key"], list):
                return list(stored["key"])
        except (ValueError, KeyError, TypeError) as error:
            raise Unprocessable.field("cursor", "is not a cursor of this list") from error
        raise Unprocessable.field("cursor", "belongs to another sort order")


PagingParameters = Annotated[Paging, Depends()]


def cursor_for(sort: str, key: list[Any]) -> str:
    """The cursor behind a row with that sort key; the key's parts are JSON values (dates and decimals as text)."""
    document = json.dumps({"sort": sort, "key": key}, default=str, separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")
