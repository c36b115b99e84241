"""Resources and lists: one class for all of them, typed by what they contain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, Generic, TypeVar, cast
from urllib.parse import quote

from stockbuddy_client import exact
from stockbuddy_client._async.transport import AsyncTransport
from stockbuddy_client.errors import PreconditionFailed

Item = TypeVar("Item")
Listed = TypeVar("Listed")
Create = TypeVar("Create")
Update = TypeVar("Update")
MAX_PAGE_SIZE = 100


class AsyncListing(Generic[Listed]):
    """A list of the API: iterate over its items, or over `pages()`; both follow the cursor."""

    def __init__(self, transport: AsyncTransport, path: str, filters: Mapping[str, Any]) -> None:
        self._transport = transport
        self._path = path
        self._filters = {"page_size": MAX_PAGE_SIZE, **filters}
        self._total: int | None = None

    async def __aiter__(self) -> AsyncIterator[Listed]:
        async for page in self.pages():
            for item in page["items"]:
                yield item

    async def pages(self) -> AsyncIterator[dict[str, Any]]:
        """The pages as the API returns them: `items`, `total`, `next_cursor`."""
        filters = self._filters
        while True:
            page = await self._transport.request("GET", self._path, params=filters)
            self._total = page["total"]
            yield page
            if page["next_cursor"] is None:
                return
            filters = {name: value for name, value in self._filters.items() if name not in ("page", "sort_by")}
            filters["cursor"] = page["next_cursor"]

    async def total(self) -> int:
        """The number of items in the whole list."""
        if self._total is None:
            page = await self._transport.request("GET", self._path, params={**self._filters, "page_size": 1})
            self._total = page["total"]
        return cast("int", self._total)


class AsyncResource(Generic[Item, Listed, Create, Update]):
    """The objects at one path. Where a method takes an object or an id, the object's entity tag makes the write
    conditional: it fails with `PreconditionFailed` if somewhere else the object was changed since it was read."""

    def __init__(self, transport: AsyncTransport, path: str) -> None:
        self._transport = transport
        self._path = path

    def list(self, **filters: Any) -> AsyncListing[Listed]:
        """The filters of the API by their names; `from_` for `from`."""
        return AsyncListing(self._transport, self._path, filters)

    async def get(self, id: int | str, **params: Any) -> Item:
        """`id`: or a path below the resource, such as `by-sku/MUG`."""
        return cast("Item", await self._transport.request("GET", self._url(id), params=params))

    async def create(self, body: Create, *, idempotency_key: str | None = None) -> Item:
        """`idempotency_key`: to repeat a creation safely in another process; otherwise a new one."""
        request = self._transport.request
        return cast("Item", await request("POST", self._path, body=body, idempotency_key=idempotency_key))

    async def update(self, target: Item | int, changes: Update, *, if_match: str | None = None) -> Item:
        """Change the given fields. A lost response is not an error: if the object already is as wanted, it is returned.
        Raises PreconditionFailed with the object's `current` state."""
        etag = if_match or exact.etag_of(target)
        headers = {"If-Match": etag} if etag else {}
        url = self._url(_id_of(target))
        try:
            return cast("Item", await self._transport.request("PATCH", url, body=changes, headers=headers))
        except PreconditionFailed as error:
            error.current = await self._transport.request("GET", url)
            if error.may_have_taken_effect and exact.agrees(error.current, changes):
                return cast("Item", error.current)
            raise

    async def delete(self, target: Item | int, *, if_match: str | None = None) -> None:
        """Raises PreconditionFailed with the object's `current` state."""
        etag = if_match or exact.etag_of(target)
        url = self._url(_id_of(target))
        try:
            await self._transport.request("DELETE", url, headers={"If-Match": etag} if etag else {})
        except PreconditionFailed as error:
            error.current = await self._transport.request("GET", url)
            raise

    async def action(
        self, target: Item | int, name: str, body: Any = None, *, idempotency_key: str | None = None
    ) -> Any:
        """`POST …/{id}/{name}`: `client.sales.action(sale, "void")`."""
        url = f"{self._url(_id_of(target))}/{name}"
        return await self._transport.request("POST", url, body=body, idempotency_key=idempotency_key)

    def _url(self, id: int | str) -> str:
        return f"{self._path}/{quote(str(id), safe='/')}"


def _id_of(target: Any) -> int:
    return cast("int", target["id"] if isinstance(target, dict) else target)
