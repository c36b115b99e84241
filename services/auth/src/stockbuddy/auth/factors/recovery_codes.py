"""Recovery codes: their form, and their stored digests."""

import secrets

from stockbuddy.auth.crypto import SecretBox

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 characters without those that are easily confused when read from paper."""

CODE_COUNT = 10
CODE_LENGTH = 10
"""50 random bits: out of reach of guesses, which are throttled."""


def create_codes() -> list[str]:
    """New codes such as `K7MQ2-XW9TB`."""
    codes = ("".join(secrets.choice(ALPHABET) for _ in range(CODE_LENGTH)) for _ in range(CODE_COUNT))
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def digest_code(secret_box: SecretBox, user_id: int, code: str) -> bytes:
    """Equal for a code that is typed in lower case, with spaces or without its hyphen."""
    return secret_box.keyed_digest(f"recovery code\n{user_id}\n{normalize_code(code).upper()}")


def normalize_code(code: str) -> str:
    """A code as typed, without spaces and hyphens."""
    return "".join(code.split()).replace("-", "")
