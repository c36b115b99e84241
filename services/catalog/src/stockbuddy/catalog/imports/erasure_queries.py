"""Erases users from import jobs, which keep their ids."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.personal_data import neutral_name

_ERASE = text("UPDATE import_job SET actor_name = :name WHERE actor_id = :user_id AND actor_name <> :name")


async def erase_persons_from_imports(session: AsyncSession, persons: Sequence[str]) -> None:
    for person in persons:
        kind, _, identifier = person.partition("/")
        if kind == "user":
            await session.execute(_ERASE, {"user_id": int(identifier), "name": neutral_name(int(identifier))})
