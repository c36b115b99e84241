"""Time-based one-time passwords (RFC 6238) as every authenticator app computes them: six digits, steps of 30 s.

A code is accepted during its own step and one step earlier or later: clocks differ, and people type slowly.
"""

import hmac
from datetime import datetime

import pyotp

STEP_SECONDS = 30
WINDOW_STEPS = 1
CODE_LENGTH = 6


def create_totp_secret() -> str:
    """160 random bits in base32, the length that RFC 4226 recommends."""
    return pyotp.random_base32()


def provisioning_uri(secret: str, *, account: str, issuer: str) -> str:
    """The `otpauth:` URI that authenticator apps read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=issuer)


def find_step(secret: str, code: str, now: datetime) -> int | None:
    """The newest time step that has this code and is accepted at `now`."""
    if len(code) != CODE_LENGTH or not (code.isascii() and code.isdecimal()):
        return None
    totp, current = pyotp.TOTP(secret), int(now.timestamp()) // STEP_SECONDS
    accepted = range(current + WINDOW_STEPS, current - WINDOW_STEPS - 1, -1)
    return next((step for step in accepted if hmac.compare_digest(totp.generate_otp(step), code)), None)
