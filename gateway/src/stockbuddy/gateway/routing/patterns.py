"""Path patterns, and tables of rows that are found by method and path."""

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")


class PathPattern:
    """`{}` or `{name}` matches any one segment; `*` at the end any number of further segments."""

    __slots__ = ("_has_placeholders", "_is_prefix", "_length", "_segments")

    def __init__(self, template: str) -> None:
        segments = split_path(template)
        self._is_prefix = segments[-1] == "*"
        self._segments = segments[:-1] if self._is_prefix else segments
        self._length = len(self._segments)
        self._has_placeholders = any(map(_is_placeholder, self._segments))

    @property
    def first_segment(self) -> str:
        return self._segments[0]

    def matches(self, segments: Sequence[str]) -> bool:
        if len(segments) != self._length and not self._is_prefix:
            return False
        if not self._has_placeholders:
            return segments[: self._length] == self._segments
        return len(segments) >= self._length and all(
            own == other or _is_placeholder(own) for own, other in zip(self._segments, segments, strict=False)
        )

    def expand(self, target: str, segments: Sequence[str]) -> str:
        """`target` with its placeholders, and `*`, replaced by what they match in `segments`."""
        values = [other for own, other in zip(self._segments, segments, strict=False) if _is_placeholder(own)]
        return "/".join([target.removesuffix("/*").format(*values), *segments[self._length :]])


class PathTable(Generic[Row]):
    """Rows in order of precedence. A row without a method matches every method."""

    def __init__(self, rows: Iterable[tuple[str | None, str, Row]]) -> None:
        self._by_first_segment: dict[str, list[tuple[str | None, PathPattern, Row]]] = {}
        for method, template, row in rows:
            pattern = PathPattern(template)
            self._by_first_segment.setdefault(pattern.first_segment, []).append((method, pattern, row))

    def find(self, method: str, segments: Sequence[str]) -> tuple[PathPattern, Row] | None:
        for own_method, pattern, row in self._by_first_segment.get(segments[0], ()):
            if (own_method is None or own_method == method) and pattern.matches(segments):
                return pattern, row
        return None


def split_path(path: str) -> list[str]:
    """`/products/5` → `["products", "5"]`."""
    return path.split("/")[1:]


def _is_placeholder(segment: str) -> bool:
    return segment.startswith("{")
