"""The claim `sid` of access tokens: the session, API key or app grant, and its token generation.

Revocations name one `sid`: after a rotation the tokens of the old generation are refused, and the session, key or grant
continues with the new one.
"""

import re
import uuid

_KEY_SID = re.compile(r"key:(\d{1,18})(\.\d+)?", re.ASCII)
_APP_SID = re.compile(r"app:(\d{1,18})(\.\d+)?", re.ASCII)


def session_sid(session_id: uuid.UUID, token_generation: int) -> str:
    return f"{session_id}.{token_generation}" if token_generation else str(session_id)


def key_sid(key_id: int, token_generation: int) -> str:
    return f"key:{key_id}.{token_generation}" if token_generation else f"key:{key_id}"


def app_sid(grant_id: int, token_generation: int) -> str:
    """Of an app's grant. It never looks like that of a session, whose user may manage the account."""
    return f"app:{grant_id}.{token_generation}" if token_generation else f"app:{grant_id}"


def parse_session_id(sid: str) -> uuid.UUID | None:
    """The session's id; None if the token belongs to an API key or an app."""
    try:
        return uuid.UUID(sid.partition(".")[0])
    except ValueError:
        return None


def parse_key_id(sid: str) -> int | None:
    """The API key's id; None if the token belongs to a session or an app."""
    match = _KEY_SID.fullmatch(sid)
    return int(match[1]) if match else None


def parse_grant_id(sid: str) -> int | None:
    """The id of the app's grant; None if the token belongs to a session or an API key."""
    match = _APP_SID.fullmatch(sid)
    return int(match[1]) if match else None
