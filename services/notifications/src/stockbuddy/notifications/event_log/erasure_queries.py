"""SQL of erasures."""

from sqlalchemy import text

from stockbuddy.contracts.personal_data import ADDRESSES

# Waits until concurrent appends have stored their values, and lets none store further ones until the persons are known
# as erased.
LOCK = text("LOCK TABLE personal_value IN SHARE ROW EXCLUSIVE MODE")
MARK_ERASED = text("""
    INSERT INTO erased_person (person) SELECT unnest(CAST(:persons AS text[])) ON CONFLICT DO NOTHING
""")
# Entries of earlier releases contain the values themselves.
REQUEST_REDACTION = text("""
    INSERT INTO redaction_request (person, next_position, last_position)
    SELECT person, 1, least(b.position, h.position)
    FROM unnest(CAST(:persons AS text[])) AS p(person), redaction_bound b, event_log_head h
    WHERE b.position > 0 ON CONFLICT (person) DO UPDATE SET next_position = 1
""")
DELETE_VALUES = text("DELETE FROM personal_value WHERE person = ANY(:persons) RETURNING value")
# Texts of notifications and reasons of failed e-mails belong to no person, but may name one.
DELETE_TEXTS = text(f"""
    DELETE FROM personal_value v USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE (v.person = '{ADDRESSES}' OR v.person >= 'notification/' AND v.person < 'notification0')
      AND strpos(lower(v.value), lower(wanted.value)) > 0
""")
DELETE_NOTIFICATIONS = text("""
    DELETE FROM notification n USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE strpos(lower(concat_ws(' ', n.title, n.body, CAST(n.text_values AS text))), lower(wanted.value)) > 0
""")
DELETE_EMAILS = text("""
    DELETE FROM queued_email e USING unnest(CAST(:distinctive AS text[])) AS wanted(value)
    WHERE strpos(lower(concat_ws(' ', e.recipient, e.last_error, CAST(e.content AS text))), lower(wanted.value)) > 0
""")
FORGET_ANSWERS = text("""
    UPDATE webhook_delivery d
    SET log = ARRAY(SELECT json_build_object('at', l ->> 'at', 'duration_ms', l -> 'duration_ms', 'status_code',
                        l -> 'status_code', 'answer', NULL, 'error', l ->> 'error')
                    FROM unnest(d.log) WITH ORDINALITY AS logged(l, place) ORDER BY place)
    WHERE EXISTS (SELECT FROM unnest(d.log) AS l, unnest(CAST(:values AS text[])) AS wanted(value)
                  WHERE strpos(lower(l ->> 'answer'), lower(wanted.value)) > 0)
""")
OWN_ROWS = tuple(
    map(
        text,
        (
            "DELETE FROM notification WHERE audience = ANY(:persons)",
            "DELETE FROM notification_read WHERE 'user/' || user_id = ANY(:persons)",
            "DELETE FROM preference WHERE 'user/' || user_id = ANY(:persons)",
        ),
    )
)
