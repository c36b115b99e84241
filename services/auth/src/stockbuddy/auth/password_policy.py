"""Which passwords are good enough: long enough, and not among the first that somebody would try (zxcvbn).

The library's time grows with the length, so it sees the first 72 characters of at most 128.
"""

from collections.abc import Sequence

from zxcvbn import zxcvbn

from stockbuddy.auth.fields import LONGEST_PASSWORD, SHORTEST_PASSWORD
from stockbuddy.auth.hashing import PasswordHasher
from stockbuddy.chassis.http.errors import Unprocessable

LEAST_SCORE = 2
"""Of 4: more than a million guesses, far beyond what the throttle of logins lets anybody make."""

JUDGED_LENGTH = 72
ANYBODYS_WORDS = ["stockbuddy", "stock", "buddy", "inventory"]


async def hash_strong_password(
    hasher: PasswordHasher, password: str, *, personal: Sequence[str | None], field: str = "password"
) -> str:
    """The hash of a password that is good enough. `personal` are texts that somebody who knows its owner would try.
    Raises Unprocessable for `field`. Judging takes milliseconds, so it is done beside the event loop as well."""
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise Unprocessable.field(field, f"must have {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    words = ANYBODYS_WORDS + [text for text in personal if text]
    weakness = await hasher.run(lambda: _weakness(password, words))
    if weakness:
        raise Unprocessable.field(field, weakness)
    return await hasher.hash(password)


def _weakness(password: str, words: list[str]) -> str | None:
    judged = zxcvbn(password[:JUDGED_LENGTH], user_inputs=words)
    if judged["score"] >= LEAST_SCORE:
        return None
    feedback = judged["feedback"]
    advice = [text.rstrip(".") for text in (feedback["warning"], *feedback["suggestions"]) if text]
    return "is too easy to guess. " + ". ".join([*advice, ""]).strip()
