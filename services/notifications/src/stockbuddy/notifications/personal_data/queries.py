"""The sections of exports of personal data."""

from stockbuddy.chassis.http.personal_data import section_query

_LOGGED_VALUES = section_query("SELECT value AS text FROM personal_value WHERE person = :person ORDER BY value")
_EVENTS_ABOUT = section_query("""
    SELECT position AS id, at, type, actor_id FROM event_log WHERE subject = :person ORDER BY position DESC""")

OF_CUSTOMER = {"logged_values": _LOGGED_VALUES, "events": _EVENTS_ABOUT}
OF_USER = {
    "logged_values": _LOGGED_VALUES,
    "events": _EVENTS_ABOUT,
    "audit_entries": section_query("""
        SELECT position AS id, at, type, subject, client_ip AS ip_address, request_id FROM event_log
        WHERE actor_id = :id AND audited ORDER BY position DESC"""),
    "notifications": section_query("""
        SELECT id, kind, title, body, text_values, created_at FROM notification
        WHERE audience = :person ORDER BY id DESC"""),
    "preferences": section_query("SELECT kind, in_app, email FROM preference WHERE user_id = :id ORDER BY kind"),
    "notification_emails": section_query("""
        SELECT e.kind, e.recipient, e.state, e.content, e.created_at FROM queued_email e
        JOIN user_replica u ON lower(u.email) = lower(e.recipient) WHERE u.id = :id ORDER BY e.id DESC"""),
    "recipient": section_query("SELECT username, email, full_name, role FROM user_replica WHERE id = :id"),
}
