"""Composes the e-mails about passwords and addresses.

The account lookup happens here, after the response, so that neither response nor timing reveals whether an address is
registered.
"""

from email.message import EmailMessage

from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.email.model import EmailKind, QueuedEmail
from stockbuddy.auth.email.sender import Compose
from stockbuddy.auth.email.templates import build_message, email_changed_text, password_changed_text, reset_text
from stockbuddy.auth.passwords.commands import create_reset_token
from stockbuddy.auth.settings import AuthSettings
from stockbuddy.auth.system_settings.queries import get_company_name
from stockbuddy.auth.users.queries import find_user_by_email


def composer(settings: AuthSettings) -> Compose:
    async def compose(session: AsyncSession, queued: QueuedEmail) -> EmailMessage | None:
        company = await get_company_name(session)
        content = await _compose_content(session, queued, company, settings)
        if content is None:
            return None
        subject, text = content
        return build_message(queued, sender=settings.mail_from, subject=f"{company}: {subject}", text=text)

    return compose


async def _compose_content(
    session: AsyncSession, queued: QueuedEmail, company: str, settings: AuthSettings
) -> tuple[str, str] | None:
    """Subject and text; None if a reset was requested for an address without a user."""
    if queued.kind is EmailKind.PASSWORD_CHANGED:
        return "your password was changed", password_changed_text(company)
    if queued.kind is EmailKind.EMAIL_CHANGED:
        return "your address was changed", email_changed_text(company)
    user = await find_user_by_email(session, queued.recipient)
    token = await create_reset_token(session, user, settings) if user else None
    if user is None or token is None:
        return None
    return "a new password", reset_text(
        name=user.full_name or user.username,
        company=company,
        token=token,
        link=settings.password_reset_url,
        minutes=settings.password_reset_seconds // 60,
    )
