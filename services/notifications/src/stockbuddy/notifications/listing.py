"""Lists with the newest first: by page number, or from a cursor that holds the last id shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from stockbuddy.chassis.http.pagination import PageQuery, encode_cursor

NEWEST_FIRST = "id_desc"


class Listed(Protocol):
    @property
    def id(self) -> int: ...


Row = TypeVar("Row", bound=Listed)


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of a list are wanted: `size` of them below the id `before`, or behind the first `offset`."""

    before: int | None
    offset: int
    size: int

    def clause(self, column: str) -> str:
        """The end of a statement whose conditions have begun; reads one row more than is shown."""
        below = f" AND {column} < :before" if self.before is not None else ""
        return f"{below} ORDER BY {column} DESC LIMIT :limit OFFSET :offset"

    @property
    def values(self) -> dict[str, Any]:
        if self.before is None:
            return {"limit": self.size + 1, "offset": self.offset}
        return {"limit": self.size + 1, "offset": 0, "before": self.before}

    def shown(self, rows: Sequence[Row]) -> Sequence[Row]:
        return rows[: self.size]

    def next_cursor(self, rows: Sequence[Row]) -> str | None:
        """Null when `rows` holds the last one."""
        return encode_cursor(NEWEST_FIRST, [rows[self.size - 1].id]) if len(rows) > self.size else None


def window_of(paging: PageQuery) -> Window:
    key = paging.after(NEWEST_FIRST, int)
    return Window(before=key[0] if key else None, offset=paging.offset, size=paging.page_size)
