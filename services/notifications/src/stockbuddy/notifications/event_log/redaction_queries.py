"""SQL of redactions."""

from sqlalchemy import text

PENDING = "SELECT FROM redaction_request"

# The head is locked as for an append, because the batch ends with one.
LOCK_HEAD = text("SELECT position FROM event_log_head FOR UPDATE")
NEXT_REQUEST = text("""
    SELECT person, next_position, last_position FROM redaction_request
    ORDER BY person LIMIT 1 FOR UPDATE SKIP LOCKED
""")
ADVANCE = text("UPDATE redaction_request SET next_position = :position WHERE person = :person")
FINISH = text("DELETE FROM redaction_request WHERE person = :person")
CANDIDATES = text("""
    SELECT e.position, CAST(e.event_id AS text) AS event_id, e.type, e.subject, e.at, e.actor_id, e.actor, e.client_ip,
           e.request_id, e.audited, CAST(e.attributes AS text) AS attributes, CAST(e.data AS text) AS data, e.hash,
           coalesce(p.hash, decode(repeat('00', 32), 'hex')) AS previous_hash
    FROM event_log e LEFT JOIN event_log p ON p.position = e.position - 1
    WHERE e.position >= :first AND e.position <= :last
      AND (CAST(e.actor_id AS text) = :actor_id OR CAST(e.data AS text) ~ :mentions)
      AND NOT EXISTS (SELECT FROM redaction r WHERE r.position = e.position)
    ORDER BY e.position
""")
REDACT = text("""
    SELECT redact_entry(:position, :subject, :actor, CAST(:attributes AS json), CAST(:data AS json))
""")
RECORD = text("""
    INSERT INTO redaction (position, event_id, previous_hash, digest)
    VALUES (:position, CAST(:event_id AS uuid), :previous_hash, :digest)
""")
