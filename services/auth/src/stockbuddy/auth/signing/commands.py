"""Creation, rotation and deletion of signing keys."""

from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import SecretBox, create_secret
from stockbuddy.auth.signing import queries
from stockbuddy.auth.signing.model import SigningKey
from stockbuddy.auth.signing.schedule import expired_keys, is_rotation_due, signing_key_at
from stockbuddy.chassis.messaging import outbox
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.auth import SigningKeyRotated


async def ensure_key(session: AsyncSession, secret_box: SecretBox) -> None:
    """Create the first key. It signs at once, because no verifier has cached an older key set."""
    if not await queries.lock_keys(session):
        _add_key(session, secret_box, signs_from=clock.now())


async def rotate_keys(session: AsyncSession, secret_box: SecretBox, *, activation_delay: timedelta) -> SigningKey:
    """Create a key that signs after `activation_delay`, when every verifier has fetched it; at once if no stored key
    can sign (none exists, or SECRET_KEY has changed)."""
    keys = await queries.lock_keys(session)
    now = clock.now()
    current = signing_key_at(keys, now)
    can_sign = current is not None and secret_box.can_decrypt(current.encrypted_private_key)
    key = _add_key(session, secret_box, signs_from=now + activation_delay if can_sign else now)
    outbox.add(session, SigningKeyRotated(kid=key.kid, signs_from=key.signs_from))
    return key


async def rotate_if_due(
    session: AsyncSession, secret_box: SecretBox, *, activation_delay: timedelta, max_age: timedelta
) -> None:
    if is_rotation_due(await queries.lock_keys(session), clock.now(), max_age):
        await rotate_keys(session, secret_box, activation_delay=activation_delay)


async def delete_expired_keys(session: AsyncSession, *, token_lifetime: timedelta) -> None:
    expired = expired_keys(await queries.lock_keys(session), clock.now(), token_lifetime)
    if expired:
        await queries.delete_keys(session, [key.kid for key in expired])


def _add_key(session: AsyncSession, secret_box: SecretBox, *, signs_from: datetime) -> SigningKey:
    private_key = Ed25519PrivateKey.generate()
    kid = create_secret()[:16]
    jwk = OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    key = SigningKey(
        kid=kid,
        public_jwk={**jwk, "kid": kid, "use": "sig", "alg": "EdDSA"},
        encrypted_private_key=secret_box.encrypt(private_key.private_bytes_raw()),
        created_at=clock.now(),
        signs_from=signs_from,
    )
    session.add(key)
    return key
