"""SQL of personal values and their placeholders."""

from collections.abc import Collection, Iterable, Mapping

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.notifications.event_log.placeholders import OwnedValue, PersonalValue, placeholders_in

# A value that a person has already keeps its placeholder. Of an erased person no value is stored.
_STORE = """
    WITH wanted AS (
        SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[]) AS w(person, value, placeholder, salt)
    ), known AS (
        SELECT w.person, w.value, min(p.placeholder) AS placeholder
        FROM wanted w JOIN personal_value p ON p.person = w.person AND p.value = w.value GROUP BY w.person, w.value
    ), added AS (
        INSERT INTO personal_value (placeholder, person, value, salt)
        SELECT w.placeholder, w.person, w.value, w.salt FROM wanted w
        WHERE NOT EXISTS (SELECT FROM known k WHERE (k.person, k.value) = (w.person, w.value))
          AND NOT EXISTS (SELECT FROM erased_person e WHERE e.person = w.person)
        RETURNING person, value, placeholder)
    SELECT * FROM known UNION ALL SELECT * FROM added
"""
_READ = text("SELECT placeholder, value FROM personal_value WHERE placeholder = ANY(:placeholders)")
_OF_VALUE = text("SELECT placeholder FROM personal_value WHERE value = :value")
_OF_WORD = text("""
    SELECT placeholder FROM personal_value
    WHERE to_tsvector('simple', left(value, 10000)) @@ to_tsquery('simple', :query) LIMIT :limit
""")


async def store_values(connection: asyncpg.Connection, values: Collection[OwnedValue]) -> dict[OwnedValue, str]:
    """The placeholder of each value, which is stored unless its person is erased."""
    created = {owned: PersonalValue.create(*owned) for owned in values}
    placeholders = {owned: value.placeholder for owned, value in created.items()}
    if created:
        columns = [(v.person, v.value, placeholders[owned], v.salt) for owned, v in created.items()]
        for row in await connection.fetch(_STORE, *map(list, zip(*columns, strict=True))):
            placeholders[row["person"], row["value"]] = row["placeholder"]
    return placeholders


async def read_values(session: AsyncSession, texts: Iterable[str | None]) -> Mapping[str, str]:
    """The stored values of the placeholders in the texts."""
    found = {placeholder for one in texts if one for placeholder in placeholders_in(one)}
    if not found:
        return {}
    rows = await session.execute(_READ, {"placeholders": list(found)})
    return {row.placeholder: row.value for row in rows}


async def find_placeholders(session: AsyncSession, value: str) -> list[str]:
    """Those of exactly this value."""
    return list(await session.scalars(_OF_VALUE, {"value": value}))


async def find_placeholders_by_word(session: AsyncSession, query: str, limit: int) -> list[str]:
    """Those of values that match a tsquery."""
    return list(await session.scalars(_OF_WORD, {"query": query, "limit": limit}))
