"""Makes the first signing key, rotates keys and drops the ones that have had their day."""

from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.auth.crypto import Seal, make_secret
from stockbuddy.auth.signing import queries
from stockbuddy.auth.signing.model import SigningKey
from stockbuddy.auth.signing.schedule import is_rotation_due, outlived_keys, signing_key_at
from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.auth import SigningKeyRotated


async def ensure_key(session: AsyncSession, seal: Seal) -> None:
    """The very first key signs at once: there is nobody yet who could know another."""
    await queries.lock_keys(session)
    if not await queries.all_keys(session):
        _add_key(session, seal, signs_from=datetime.now(UTC))


async def rotate_keys(session: AsyncSession, seal: Seal, *, ahead: timedelta) -> SigningKey:
    """A new key that signs once everybody has had the time to fetch it. Where no stored key can sign
    (none exists, or SECRET_KEY is another), it signs at once."""
    await queries.lock_keys(session)
    now = datetime.now(UTC)
    current = signing_key_at(await queries.all_keys(session), now)
    can_sign = current is not None and seal.opens(current.sealed_private_key)
    key = _add_key(session, seal, signs_from=now + ahead if can_sign else now)
    outbox.add(session, SigningKeyRotated(kid=key.kid, signs_from=key.signs_from))
    return key


async def rotate_when_due(session: AsyncSession, seal: Seal, *, ahead: timedelta, age: timedelta) -> None:
    await queries.lock_keys(session)
    if is_rotation_due(await queries.all_keys(session), datetime.now(UTC), age):
        await rotate_keys(session, seal, ahead=ahead)


async def drop_outlived_keys(session: AsyncSession, *, token_lifetime: timedelta) -> None:
    await queries.lock_keys(session)
    outlived = outlived_keys(await queries.all_keys(session), datetime.now(UTC), token_lifetime)
    if outlived:
        await queries.delete_keys(session, [key.kid for key in outlived])


def _add_key(session: AsyncSession, seal: Seal, *, signs_from: datetime) -> SigningKey:
    private_key = Ed25519PrivateKey.generate()
    kid = make_secret()[:16]
    jwk = OKPAlgorithm.to_jwk(private_key.public_key(), as_dict=True)
    key = SigningKey(
        kid=kid,
        public_jwk={**jwk, "kid": kid, "use": "sig", "alg": "EdDSA"},
        sealed_private_key=seal.close(private_key.private_bytes_raw()),
        created_at=datetime.now(UTC),
        signs_from=signs_from,
    )
    session.add(key)
    return key
