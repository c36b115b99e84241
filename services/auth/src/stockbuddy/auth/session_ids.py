"""What a token carries as `sid`: the session or the API key that it belongs to, and which generation of its tokens.

A generation is refused as a whole (a revocation names one `sid`), while the session or key goes on with the next.
"""

import re
import uuid

_KEY_SID = re.compile(r"key:(\d{1,18})(\.\d+)?", re.ASCII)


def session_sid(session_id: uuid.UUID, generation: int) -> str:
    return f"{session_id}.{generation}" if generation else str(session_id)


def key_sid(key_id: int, generation: int) -> str:
    return f"key:{key_id}.{generation}" if generation else f"key:{key_id}"


def session_id_of(sid: str) -> uuid.UUID | None:
    """The session behind a token's `sid`; None for the token of an API key."""
    try:
        return uuid.UUID(sid.partition(".")[0])
    except ValueError:
        return None


def key_id_of(sid: str) -> int | None:
    """The API key behind a token's `sid`; None for the token of a session."""
    found = _KEY_SID.fullmatch(sid)
    return int(found[1]) if found else None
