"""Signs checkpoints, and creates the keys that sign them."""

import secrets
from collections.abc import Sequence
from datetime import timedelta
from uuid import uuid4

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.encryption import SecretBox
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.postgres.database import signal_on_commit
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.notifications import CheckpointSigned
from stockbuddy.notifications.checkpoints import queries
from stockbuddy.notifications.checkpoints.queries import Checkpoint, CheckpointKey
from stockbuddy.notifications.checkpoints.signed_head import SignedHead
from stockbuddy.notifications.email.commands import QUEUED
from stockbuddy.notifications.email.content import Content
from stockbuddy.notifications.email.queries import insert_emails_to

log = structlog.get_logger(__name__)

KID_BYTES = 12
EMAIL_KIND = "audit_checkpoint"


async def sign_checkpoint(
    session: AsyncSession, secret_box: SecretBox, *, max_key_age: timedelta, emails: Sequence[str] = ()
) -> Checkpoint | None:
    """Sign the head of the chain, unless only its own event has been logged since the last checkpoint, or another
    replica is signing. `emails` receive it; so do the log of the process and webhooks."""
    if not await queries.try_lock(session):
        return None
    head, last = await queries.read_head(session), await queries.find_last_checkpoint(session)
    if head.position == 0 or (last is not None and _is_unchanged(head.position, head.type, head.epoch, last)):
        return None
    key, private_key = await _signing_key(session, secret_box, max_key_age)
    signed = SignedHead(head.position, head.epoch, head.audited, head.hash.hex(), clock.now(), key.kid)
    checkpoint = Checkpoint(
        position=signed.position,
        epoch=signed.epoch,
        audited=signed.audited,
        hash=head.hash,
        kid=key.kid,
        jws=signed.sign(private_key),
        signed_at=signed.signed_at,
    )
    session.add(checkpoint)
    await session.flush()
    await _publish(session, checkpoint, emails)
    return checkpoint


def _is_unchanged(position: int, last_type: str, epoch: int, last: Checkpoint) -> bool:
    own_event = 1 if last_type == CheckpointSigned.type else 0
    return epoch == last.epoch and position - own_event <= last.position


async def _publish(session: AsyncSession, checkpoint: Checkpoint, emails: Sequence[str]) -> None:
    digest = checkpoint.hash.hex()
    # A warning, because it is evidence: it must be in the log whatever LOG_LEVEL says.
    log.warning("audit.checkpoint", position=checkpoint.position, hash=digest, jws=checkpoint.jws)
    outbox.add(
        session,
        CheckpointSigned(
            checkpoint_id=checkpoint.id,
            position=checkpoint.position,
            epoch=checkpoint.epoch,
            audited=checkpoint.audited,
            hash=digest,
            kid=checkpoint.kid,
            jws=checkpoint.jws,
            signed_at=checkpoint.signed_at,
        ),
    )
    if emails:
        content = Content(
            f"Audit checkpoint at entry {checkpoint.position}",
            f"Keep this e-mail: it reveals a log that is rewritten later.\n\nHash: {digest}\n\n{checkpoint.jws}",
        )
        await insert_emails_to(session, emails, cause=uuid4(), kind=EMAIL_KIND, content=content)
        signal_on_commit(session, QUEUED)


async def _signing_key(
    session: AsyncSession, secret_box: SecretBox, max_age: timedelta
) -> tuple[CheckpointKey, Ed25519PrivateKey]:
    """The newest key; a new one if there is none, if it is too old, or if SECRET_KEY has changed."""
    newest = next(iter(await queries.list_keys(session)), None)
    is_young = newest is not None and clock.now() - newest.created_at < max_age
    if newest is not None and is_young and secret_box.can_decrypt(newest.encrypted_private_key):
        private_bytes = secret_box.decrypt(newest.encrypted_private_key)
        return newest, Ed25519PrivateKey.from_private_bytes(private_bytes)
    private_key, kid = Ed25519PrivateKey.generate(), secrets.token_urlsafe(KID_BYTES)
    jwk = OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    key = CheckpointKey(
        kid=kid,
        public_jwk={**jwk, "kid": kid, "use": "sig", "alg": "EdDSA"},
        encrypted_private_key=secret_box.encrypt(private_key.private_bytes_raw()),
        created_at=clock.now(),
    )
    session.add(key)
    await session.flush()
    log.warning("audit.checkpoint_key_created", kid=kid, public_jwk=key.public_jwk)
    return key, private_key
