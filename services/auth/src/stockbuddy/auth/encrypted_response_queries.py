"""SQL of encrypted stored responses."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

_ENCRYPTED = text("SELECT caller, key, body FROM idempotency_key WHERE body LIKE 'gAAAA%'")
"""Fernet's version byte and the high bytes of the time, in base64."""
_REPLACE = text("UPDATE idempotency_key SET body = :body WHERE caller = :caller AND key = :key")


async def find_encrypted_responses(session: AsyncSession) -> Sequence[Row[Any]]:
    """`caller, key, body`."""
    return (await session.execute(_ENCRYPTED)).all()


async def replace_response(session: AsyncSession, caller: str, key: str, body: str) -> None:
    await session.execute(_REPLACE, {"caller": caller, "key": key, "body": body})
