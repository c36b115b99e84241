"""Secrets of webhooks, encrypted in the database: the current one and earlier ones that still sign."""

from collections.abc import Sequence
from datetime import datetime

import structlog
from sqlalchemy import delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.encryption import DecryptionError, SecretBox
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.runtime import clock
from stockbuddy.notifications.errors import TooManySecrets
from stockbuddy.notifications.webhooks.model import WebhookSecret, new_secret
from stockbuddy.notifications.webhooks.queries import TAKE_PLAIN_SECRETS

log = structlog.get_logger(__name__)

MAX_SIGNING_SECRETS = 5


def add_secret(session: AsyncSession, secret_box: SecretBox, webhook_id: int, secret: str | None = None) -> str:
    """Add the current secret, a new one by default, and return it."""
    secret = secret or new_secret()
    session.add(WebhookSecret(webhook_id=webhook_id, encrypted_secret=secret_box.encrypt(secret.encode())))
    return secret


async def retire_current_secret(session: AsyncSession, webhook_id: int, signs_until: datetime) -> None:
    """The current secret signs until `signs_until`; earlier ones keep their times. Raises TooManySecrets."""
    now = clock.now()
    expired = (WebhookSecret.webhook_id == webhook_id, WebhookSecret.signs_until <= now)
    await session.execute(delete(WebhookSecret).where(*expired))
    signing = await session.scalars(select(WebhookSecret).where(WebhookSecret.webhook_id == webhook_id))
    secrets = signing.all()
    if signs_until > now and len(secrets) >= MAX_SIGNING_SECRETS:
        raise TooManySecrets()
    for secret in secrets:
        if secret.signs_until is None:
            secret.signs_until = signs_until


def decrypt_secrets(secret_box: SecretBox, encrypted: Sequence[bytes]) -> tuple[str, ...]:
    """Without those that were encrypted with another SECRET_KEY."""
    secrets: list[str] = []
    for secret in encrypted:
        try:
            secrets.append(secret_box.decrypt(secret).decode())
        except DecryptionError:
            log.error("webhooks.secret_not_decrypted")
    return tuple(secrets)


async def encrypt_plain_secrets(database: Database, secret_box: SecretBox) -> None:
    """Encrypt the secrets that releases before encryption stored in plain text."""
    async with database.transaction() as session:
        for row in await session.execute(text(TAKE_PLAIN_SECRETS)):
            if row.previous_secret is not None and row.previous_secret_until > clock.now():
                add_secret(session, secret_box, row.id, row.previous_secret)
                await session.flush()
                await retire_current_secret(session, row.id, row.previous_secret_until)
            add_secret(session, secret_box, row.id, row.secret)
            await session.flush()
