"""Rules for new usernames, so that no user can pass for another one or for the system (UTS 39).

`username_skeleton` is equal for names that look alike: `boss`, the same with a Cyrillic o, `BOSS`, `b0ss`. It is stored
with a unique index. A disarm release with another KEY_SCHEMA_VERSION changes skeletons: it needs a migration that
computes them again, hence the exact minor version in pyproject.toml.
"""

import re
import secrets
import unicodedata

import disarm

from stockbuddy.chassis.fields import InvalidValue

MAX_USERNAME_LENGTH = 64
RANDOM_SUFFIX_LENGTH = 9

INVISIBLE_CATEGORIES = ("Cf", "Cn", "Co")
"""Format characters such as joiners, unassigned and private-use ones."""
PRECOMPOSED_SCRIPTS = {disarm.Script.LATIN, disarm.Script.GREEK, disarm.Script.CYRILLIC}
"""Their letters with marks are single characters in NFC."""
AM = "\N{THAI CHARACTER SARA AM}\N{LAO VOWEL SIGN AM}"
"""Ordinary vowels that have a compatibility decomposition."""

RESERVED_NAMES = (
    *("abuse", "admin", "administrator", "anonymous", "api", "auth", "billing", "catalog", "everyone", "gateway"),
    *("helpdesk", "hostmaster", "info", "mailer-daemon", "moderator", "no-reply", "nobody", "noreply", "notifications"),
    *("null", "official", "operator", "postmaster", "root", "security", "service", "staff", "stock", "stockbuddy"),
    *("superadmin", "superuser", "support", "sysadmin", "sysop", "system", "undefined", "unknown", "webmaster"),
)


def username_skeleton(username: str) -> str:
    """Equal for usernames that are easily confused."""
    return disarm.skeleton_key(username, digit_policy="tr39")


_NEUTRAL = re.compile(r"erased-[0-9]+(-.*)?", re.IGNORECASE)
"""Names of erased users."""
_RESERVED = frozenset(map(username_skeleton, RESERVED_NAMES))


def is_reserved(username: str) -> bool:
    return username_skeleton(username) in _RESERVED


def require_acceptable(username: str) -> str:
    """The name in its stored form (NFC). Raises ValueError."""
    username = unicodedata.normalize("NFC", username)
    if any(unicodedata.category(character) in INVISIBLE_CATEGORIES for character in username):
        raise InvalidValue("invisible_characters", "contains invisible characters")
    if any(unicodedata.normalize("NFKC", character) != character for character in username if character not in AM):
        raise InvalidValue("compatibility_characters", "contains compatibility characters, such as full-width letters")
    scripts = set(disarm.detect_scripts(username))
    if disarm.is_mixed_script(username):
        raise InvalidValue("mixed_scripts", "mixes letters of several scripts")
    if scripts & PRECOMPOSED_SCRIPTS and any(map(unicodedata.combining, username)):
        raise InvalidValue("combining_characters", "contains combining characters")
    if is_reserved(username) or _NEUTRAL.fullmatch(username):
        raise InvalidValue("name_reserved", "is a reserved name")
    return username


def derive_username(email: str) -> str:
    """From the local part of the address: `ann.lee`, or with a random suffix if that is not acceptable."""
    local_part = email.partition("@")[0]
    stem = re.sub(r"[^\w.+-]", "", local_part).lstrip(".+-")[: MAX_USERNAME_LENGTH - RANDOM_SUFFIX_LENGTH]
    for candidate in (stem, with_random_suffix(stem)):
        try:
            if len(username := require_acceptable(candidate)) > 1 and username[0].isalnum():
                return username
        except ValueError:
            continue
    return with_random_suffix("user")


def with_random_suffix(stem: str) -> str:
    return f"{stem}-{secrets.token_hex(4)}"
