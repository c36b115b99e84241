"""The request's database session as a FastAPI dependency, and loading rows with it."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http import idempotency
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.resources import get_resources

Entity = TypeVar("Entity")


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    """The request's transaction. It commits before the response is sent (`scope="function"`), so that a client with
    a response can rely on it. Raises ReplayedResponse if the request's idempotency key was used before."""
    async with get_resources(request).database.transaction() as session:
        await idempotency.claim(session, request)
        yield session


async def get_read_session(request: Request) -> AsyncIterator[AsyncSession]:
    """A session for reads only: no transaction, each statement sees its own snapshot. In a GET, of the read replica if
    that has the caller's own writes."""
    async with get_resources(request).reads.reading() as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session, scope="function")]
ReadSession = Annotated[AsyncSession, Depends(get_read_session, scope="function")]


async def get_or_404(session: AsyncSession, entity: type[Entity], key: Any, *, for_update: bool = False) -> Entity:
    """The row with this primary key. Raises NotFound. `for_update` locks it, so that the version compared with If-Match
    cannot change before the commit."""
    found = await session.get(entity, key, with_for_update=for_update or None)
    if found is None:
        raise NotFound()
    return found
