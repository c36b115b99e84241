"""Erases the personal data of a user; the account stays, deactivated and with a neutral name, because documents and the
audit trail refer to its id."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.api_keys.commands import revoke_keys_of
from stockbuddy.auth.apps.grant_commands import withdraw_consents_of
from stockbuddy.auth.crypto import create_secret
from stockbuddy.auth.dependencies import AuthServices
from stockbuddy.auth.encrypted_responses import erase_encrypted_responses
from stockbuddy.auth.errors import LastAdmin
from stockbuddy.auth.sessions.commands import revoke_sessions
from stockbuddy.auth.system_settings.queries import lock_settings
from stockbuddy.auth.user_management.erasure_queries import erase_own_rows
from stockbuddy.auth.usernames import username_skeleton, with_random_suffix
from stockbuddy.auth.users.model import User
from stockbuddy.auth.users.queries import is_username_taken
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.messaging.erasure import erase_phrases_from_messaging
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import UserErased
from stockbuddy.contracts.personal_data import neutral_name

REASON = "user_erased"


async def erase_user(session: AsyncSession, user: User, admins: set[int], services: AuthServices) -> None:
    """`user` and `admins` come from `lock_for_update`. A user who is erased already stays as they are. The event lets
    every service erase its copies. Raises LastAdmin."""
    settings = services.settings
    if user.erased_at is not None:
        return
    if admins == {user.id}:
        raise LastAdmin()
    await revoke_sessions(session, user.id, settings, reason=REASON)
    await revoke_keys_of(session, user, settings, reason=REASON)
    await withdraw_consents_of(session, user, settings, reason=REASON)
    await session.flush()
    addresses = [address for address in (user.email, user.pending_email) if address]
    related = await erase_own_rows(session, user.id, addresses)
    await _remove_from_alerts(session, addresses)
    await erase_phrases_from_messaging(session, addresses)
    await erase_encrypted_responses(session, services.secret_box, user.id)
    await _neutralise(session, user, await services.hasher.hash(create_secret()))
    outbox.add(session, user.to_event(UserErased, related=related))


async def _remove_from_alerts(session: AsyncSession, addresses: Sequence[str]) -> None:
    """The user no longer receives alerts of the company. The event of the change does not repeat the address."""
    settings = await lock_settings(session)
    erased = {address.lower() for address in addresses}
    kept = [address for address in settings.alert_emails if address.lower() not in erased]
    if kept != settings.alert_emails:
        settings.alert_emails = kept
        settings.touch()
        outbox.add(session, settings.to_event({}))


async def _neutralise(session: AsyncSession, user: User, password_hash: str) -> None:
    """`password_hash`: of a random password."""
    user.username = neutral_name(user.id)
    while await is_username_taken(session, user.username, username_skeleton(user.username), except_user=user.id):
        user.username = with_random_suffix(neutral_name(user.id))
    user.username_skeleton = username_skeleton(user.username)
    user.email = f"{user.username}@erased.invalid"  # never delivered (RFC 2606)
    user.email_confirmed = user.is_active = user.has_second_factor = False
    user.pending_email = user.full_name = None
    user.password_hash = password_hash
    user.erased_at = clock.now()
    user.touch()
