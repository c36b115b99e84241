"""The bytes that are hashed are those that Python's own JSON writes, whatever the texts contain."""

import json
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from stockbuddy.notifications.event_log.chain import LogEntry, to_canonical_form

# What PostgreSQL stores: UTF-8 without surrogates and NUL.
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
BIGINTS = st.integers(-(2**63), 2**63 - 1)


@given(
    st.builds(
        LogEntry,
        position=BIGINTS,
        event_id=TEXTS,
        type=TEXTS,
        subject=st.none() | TEXTS,
        at=st.datetimes(timezones=st.just(UTC)),
        actor_id=st.none() | BIGINTS,
        actor=st.none() | TEXTS,
        client_ip=st.none() | TEXTS,
        request_id=st.none() | TEXTS,
        audited=st.booleans(),
        attributes=TEXTS,
        data=TEXTS,
    )
)
def test_canonical_form_is_what_the_standard_library_writes(entry: LogEntry) -> None:
    columns = [getattr(entry, name) for name in LogEntry.__dataclass_fields__]
    columns[4] = entry.at.isoformat(timespec="microseconds")
    assert to_canonical_form(entry) == json.dumps(columns, ensure_ascii=False, separators=(",", ":")).encode()


def test_control_characters_and_escapes_are_written_alike() -> None:
    text = "".join(map(chr, range(1, 0x300))) + "\u2028\u2029\ufeff\uffff😀"
    at = datetime(2026, 11, 30, tzinfo=UTC)
    entry = LogEntry(1, text, text, text, at, None, text, None, None, True, text, text)
    assert json.loads(to_canonical_form(entry))[1] == text
    assert json.dumps(text, ensure_ascii=False).encode() in to_canonical_form(entry)
