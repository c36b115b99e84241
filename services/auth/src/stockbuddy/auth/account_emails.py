"""Composes the e-mails about passwords and addresses.

The account lookup happens here, after the response, so that neither response nor timing reveals whether an address is
registered.
"""

from email.message import EmailMessage

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email import templates
from stockbuddy.auth.email.model import EmailKind, QueuedEmail
from stockbuddy.auth.email.sender import Compose
from stockbuddy.auth.passwords.commands import create_reset_token
from stockbuddy.auth.profile.commands import create_confirmation_token
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.system_settings.queries import get_company_name
from stockbuddy.auth.users.queries import find_user, find_user_by_email

NOTICES = {
    EmailKind.PASSWORD_CHANGED: ("your password was changed", templates.password_changed_text),
    EmailKind.EMAIL_CHANGE_REQUESTED: ("your address is to be changed", templates.email_change_requested_text),
    EmailKind.FACTORS_CHANGED: ("your second factors were changed", templates.factors_changed_text),
    EmailKind.PASSKEY_DISABLED: ("a passkey was disabled", templates.passkey_disabled_text),
    EmailKind.RECOVERY_CODE_USED: ("a recovery code was used", templates.recovery_code_used_text),
    EmailKind.EMAIL_CHANGED: ("your address was changed", templates.email_changed_text),
}
"""E-mails without a token: subject and text."""


def composer(settings: AuthSettings) -> Compose:
    async def compose(session: AsyncSession, queued: QueuedEmail) -> EmailMessage | None:
        company = await get_company_name(session)
        content = await _compose_content(session, queued, company, settings)
        if content is None:
            return None
        subject, text = content
        return templates.build_message(queued, sender=settings.mail_from, subject=f"{company}: {subject}", text=text)

    return compose


async def _compose_content(
    session: AsyncSession, queued: QueuedEmail, company: str, settings: AuthSettings
) -> tuple[str, str] | None:
    """Subject and text; None if there is no recipient (any more)."""
    if queued.kind in NOTICES:
        subject, text = NOTICES[queued.kind]
        return subject, text(company)
    if queued.kind is EmailKind.EMAIL_CONFIRMATION:
        return await _compose_confirmation(session, queued, company, settings)
    return await _compose_reset(session, queued, company, settings)


async def _compose_reset(
    session: AsyncSession, queued: QueuedEmail, company: str, settings: AuthSettings
) -> tuple[str, str] | None:
    is_retry = queued.last_error is not None
    user = await find_user_by_email(session, queued.recipient)
    token = await create_reset_token(session, user, settings, is_retry=is_retry) if user else None
    if token is None:
        return None
    minutes = settings.password_reset_seconds // 60
    return "a new password", templates.reset_text(
        company=company,
        token=token,
        page=_page(settings, settings.password_reset_url, "password-reset"),
        minutes=minutes,
    )


async def _compose_confirmation(
    session: AsyncSession, queued: QueuedEmail, company: str, settings: AuthSettings
) -> tuple[str, str] | None:
    user = await find_user(session, queued.user_id) if queued.user_id else None
    if user is None:
        return None
    is_retry = queued.last_error is not None
    token = await create_confirmation_token(session, user, queued.recipient, settings, is_retry=is_retry)
    if token is None:
        return None
    hours = max(1, settings.email_confirmation_seconds // 3600)
    return "confirm your address", templates.confirmation_text(
        company=company,
        token=token,
        page=_page(settings, settings.email_confirmation_url, "confirm-email"),
        hours=hours,
    )


def _page(settings: AuthSettings, configured: str | None, name: str) -> templates.TokenPage:
    """The configured page, by default the console's. Its token is in the fragment, which reaches neither servers nor
    logs."""
    own = f"{settings.public_url}/{name}#token={{token}}"
    return templates.TokenPage(configured or own, is_own=configured is None)
