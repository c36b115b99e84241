"""Placeholders of personal values: what the log, and its hash chain, contain in place of them (ADR 29).

A placeholder is a commitment to the value: SHA-256 over a random salt, the person and the value. While the value is
stored, it proves that the value is the one that was logged; when value and salt are erased, it reveals nothing.
"""

import hashlib
import json
import re
import secrets
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Self

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.personal_data import ERASED

PREFIX = "erasable"
_PLACEHOLDER = re.compile(f"{PREFIX}[0-9a-f]{{64}}")
SALT_BYTES = 16

OwnedValue = tuple[str, str]
"""A person and one of their values."""

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


@dataclass(frozen=True, slots=True)
class PersonalValue:
    """A value with the salt of its placeholder."""

    person: str
    value: str
    salt: bytes

    @classmethod
    def create(cls, person: str, value: str) -> Self:
        return cls(person, value, secrets.token_bytes(SALT_BYTES))

    @property
    def placeholder(self) -> str:
        committed = self.salt + self.person.encode() + b"\0" + self.value.encode()
        return PREFIX + hashlib.sha256(committed).hexdigest()


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
    found = {placeholder for one in texts if one and PREFIX in one for placeholder in _PLACEHOLDER.findall(one)}
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


def disclose_text(text: str, values: Mapping[str, str]) -> str:
    """The text with the values in place of their placeholders."""
    return _PLACEHOLDER.sub(lambda match: values.get(match[0], ERASED), text) if PREFIX in text else text


def disclose_json(document: str, values: Mapping[str, str]) -> str:
    """Like `disclose_text`, for a JSON text: placeholders are within its strings."""
    if PREFIX not in document:
        return document
    return _PLACEHOLDER.sub(lambda match: json.dumps(values.get(match[0], ERASED))[1:-1], document)
