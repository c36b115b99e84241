"""Deletes what a user owns apart from the account."""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.contracts.personal_data import ERASED

_DELETE_OWN = tuple(
    text(f"DELETE FROM {table} WHERE user_id = :user_id")
    for table in (
        *("known_address", "login_challenge", "passkey_challenge", "password_reset", "email_confirmation"),
        *("totp_factor", "recovery_code", "passkey", "oidc_identity", "queued_email"),
    )
)
_DELETE_VIEWS = text("DELETE FROM saved_view WHERE owner_id = :user_id")
# Waiting and failed e-mails to their addresses, such as a password reset before they had an account.
_DELETE_EMAILS = text("DELETE FROM queued_email WHERE lower(recipient) = ANY(:addresses)")
_FORGET_DEVICES = text("UPDATE login_session SET user_agent = NULL, ip_address = NULL WHERE user_id = :user_id")
_RENAME_KEYS = text("UPDATE api_key SET name = :name WHERE owner_id = :user_id RETURNING id")
_FORGET_NOTES = text("UPDATE invitation SET note = NULL WHERE used_by = :user_id RETURNING id")


async def erase_own_rows(session: AsyncSession, user_id: int, addresses: Sequence[str]) -> list[str]:
    """What the user owns apart from the account. Returns the persons in events that belong to the user, too."""
    for statement in (*_DELETE_OWN, _DELETE_VIEWS, _FORGET_DEVICES):
        await session.execute(statement, {"user_id": user_id})
    await session.execute(_DELETE_EMAILS, {"addresses": [address.lower() for address in addresses]})
    keys = await session.scalars(_RENAME_KEYS, {"user_id": user_id, "name": ERASED})
    invitations = await session.scalars(_FORGET_NOTES, {"user_id": user_id})
    return [*(f"api-key/{key}" for key in keys), *(f"invitation/{invitation}" for invitation in invitations)]
