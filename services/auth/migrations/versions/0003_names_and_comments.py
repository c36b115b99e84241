"""Rename tables, columns and the events of invitations to standard terms; comment every table and column."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0003"
down_revision = "0002"

RENAMES = (
    "ALTER TABLE setup RENAME TO bootstrap_token",
    "ALTER TABLE bootstrap_token RENAME COLUMN token_digest TO digest",
    "ALTER TABLE bootstrap_token RENAME COLUMN made_at TO created_at",
    "ALTER TABLE bootstrap_token RENAME CONSTRAINT setup_pkey TO bootstrap_token_pkey",
    "ALTER TABLE bootstrap_token RENAME CONSTRAINT setup_is_one_row TO bootstrap_token_is_one_row",
    "ALTER TABLE login_throttle RENAME TO login_counter",
    "ALTER TABLE login_counter RENAME CONSTRAINT login_throttle_pkey TO login_counter_pkey",
    "ALTER INDEX login_throttle_by_age RENAME TO login_counter_by_age",
    "ALTER TABLE letter RENAME TO queued_email",
    "ALTER TABLE queued_email RENAME COLUMN written_at TO queued_at",
    "ALTER TABLE queued_email RENAME CONSTRAINT letter_pkey TO queued_email_pkey",
    "ALTER INDEX letter_due RENAME TO queued_email_due",
    "ALTER INDEX letter_one_reset_each RENAME TO queued_email_one_reset_per_recipient",
    "ALTER SEQUENCE letter_id_seq RENAME TO queued_email_id_seq",
    "ALTER TABLE signing_key RENAME COLUMN sealed_private_key TO encrypted_private_key",
    "ALTER TABLE login_session RENAME COLUMN generation TO token_generation",
    "ALTER INDEX login_session_live RENAME TO login_session_active",
    "ALTER TABLE api_key RENAME COLUMN generation TO token_generation",
    "ALTER INDEX api_key_live RENAME TO api_key_not_revoked",
    "ALTER TABLE invitation RENAME CONSTRAINT invitation_used_by_somebody TO invitation_use_has_user",
)

# The shard of an unpublished event stays that of its former subject, so it may be published after a later event of the
# same invitation. Published events keep their order.
RENAME_EVENTS = """
    UPDATE {table} SET
        routing_key = renamed.type,
        partition_key = renamed.subject,
        headers = CAST(CAST(headers AS jsonb) || jsonb_build_object(
            'type', renamed.type, 'dataschema', 'urn:stockbuddy:schema:' || renamed.type,
            'subject', renamed.subject, 'partitionkey', renamed.subject) AS json),
        payload = CAST(CAST(payload AS jsonb) - 'access_token_id' || jsonb_build_object(
            'invitation_id', CAST(payload AS jsonb) -> 'access_token_id') AS json)
    FROM (
        SELECT event_id AS id, replace(routing_key, 'auth.access_token.', 'auth.invitation.') AS type,
            replace(partition_key, 'access-token/', 'invitation/') AS subject
        FROM {table} WHERE routing_key LIKE 'auth.access\\_token.%'
    ) AS renamed
    WHERE event_id = renamed.id
"""

COMMENTS = {
    "user_account": {
        "": "Users.",
        "id": "Id of the user.",
        "username": "Login name, unique without regard to case; contains no @.",
        "email": "E-mail address, unique without regard to case.",
        "full_name": "Name for display.",
        "password_hash": "argon2id hash with its parameters.",
        "role": "salesperson, manager or admin.",
        "warehouse_ids": "Warehouses that the user is limited to; null means all.",
        "is_active": "False: the user cannot log in.",
        "version": "Increases with each change; also the entity tag.",
        "created_at": "When the user was registered.",
        "updated_at": "When the user last changed.",
    },
    "login_session": {
        "": "Sessions created by logins.",
        "id": "First part of the claim sid of the session's access tokens.",
        "user_id": "User who logged in.",
        "token_generation": "Part of the claim sid; increases when access tokens are revoked but not the session.",
        "user_agent": "User-Agent header of the login.",
        "ip_address": "Address of the login or the last refresh.",
        "created_at": "When the user logged in.",
        "last_used_at": "Last use of an access token, accurate to some seconds.",
        "expires_at": "End of the session unless it is refreshed.",
        "ended_at": "When the session was revoked.",
        "ended_reason": "Why the session was revoked.",
        "cookie_digest": "SHA-256 of a browser session's cookie.",
    },
    "refresh_token": {
        "": "Refresh tokens, kept as long as their session so that reuse is detected.",
        "digest": "SHA-256 of the token.",
        "session_id": "Session that the token extends.",
        "created_at": "When the token was issued.",
        "used_at": "When the token was used; it is valid once.",
    },
    "revocation": {
        "": "Claims sid whose access tokens the gateway refuses.",
        "id": "Id of the revocation.",
        "sid": "Claim sid of the refused access tokens.",
        "needed_until": "When the last of these access tokens has expired.",
        "xid": "Transaction that inserted the row; the gateway's cursor compares it.",
    },
    "signing_key": {
        "": "Ed25519 keys that sign access tokens.",
        "kid": "Key id in the header of tokens.",
        "public_jwk": "Public key as published (JWK, RFC 7517).",
        "encrypted_private_key": "Private key, encrypted with a key derived from SECRET_KEY.",
        "created_at": "When the key was created and published.",
        "signs_from": "When the key starts to sign; it signs until its successor does.",
    },
    "bootstrap_token": {
        "": "One row: the token that authorises the registration of the first admin.",
        "id": "Always true.",
        "digest": "SHA-256 of the token; null if none is valid.",
        "created_at": "When the token was created.",
    },
    "system_settings": {
        "": "One row: the company-wide settings.",
        "id": "Always true.",
        "company_name": "Name in the subject and text of e-mails.",
        "currency": "ISO 4217 code of all money.",
        "timezone": "IANA time zone of business days.",
        "registration_open": "Whether users may register without an invitation.",
        "default_low_stock_threshold": "Threshold of products without one of their own.",
        "alert_emails": "Recipients of stock alerts.",
        "negative_stock": "reject or allow; applies to warehouses without a value of their own.",
        "version": "Increases with each change; also the entity tag.",
        "updated_at": "When the settings last changed.",
    },
    "login_counter": {
        "": "Counts of failed logins, which decay with time.",
        "key": "SHA-256 of scope, login and address.",
        "failures": "Failed logins as of counted_at.",
        "counted_at": "When the last failure was counted.",
        "blocked_until": "End of the backoff.",
    },
    "known_address": {
        "": "Addresses from which users have logged in; exempt from the counter over all addresses.",
        "user_id": "User who logged in.",
        "address": "IP address of the client.",
        "last_login_at": "Last successful login from the address.",
    },
    "queued_email": {
        "": "E-mails to send; deleted when sent.",
        "id": "Id of the e-mail.",
        "kind": "password_reset, password_changed or email_changed.",
        "recipient": "Address; for a password reset as requested, whether it belongs to a user or not.",
        "request_id": "Request that queued the e-mail.",
        "client_ip": "Address of the client that made the request.",
        "queued_at": "When the e-mail was queued.",
        "attempts": "Number of attempts to send it.",
        "next_attempt_at": "When it is due; also the end of the lease of a running attempt.",
    },
    "password_reset": {
        "": "Password reset tokens.",
        "digest": "SHA-256 of the token.",
        "user_id": "User whose password may be reset.",
        "created_at": "When the token was issued.",
        "expires_at": "End of the token's validity.",
        "used_at": "When the token was used or invalidated.",
    },
    "invitation": {
        "": "Single-use tokens that let sales staff register.",
        "id": "Id of the invitation.",
        "token_digest": "HMAC of the token, which is short enough to be guessed from a plain digest.",
        "role": "Role of the new user.",
        "warehouse_ids": "Warehouses of the new user; null means all.",
        "note": "Remark of the admin.",
        "created_by": "Admin who created the invitation.",
        "created_at": "When the invitation was created.",
        "expires_at": "End of the invitation's validity.",
        "used_at": "When a user registered with it.",
        "used_by": "User who registered with it.",
    },
    "api_key": {
        "": "API keys of machines.",
        "id": "Id of the key; also the OAuth2 client id.",
        "owner_id": "User for whom the key acts.",
        "name": "Name for display.",
        "digest": "SHA-256 of the secret.",
        "hint": "Last characters of the secret.",
        "role": "Role of the key, limited by that of its owner.",
        "warehouse_ids": "Warehouses of the key, limited by those of its owner; null means the owner's.",
        "token_generation": "Part of the claim sid; increases when access tokens are revoked but not the key.",
        "created_at": "When the key was created.",
        "expires_at": "End of the key's validity; null means none.",
        "last_used_at": "Last use, accurate to some seconds.",
        "revoked_at": "When the key was revoked.",
    },
}


def upgrade() -> None:
    for statement in RENAMES:
        op.execute(statement)
    for table in ("outbox", "outbox_archive"):
        op.execute(RENAME_EVENTS.format(table=table))
    for statement in comment_statements(COMMENTS):
        op.execute(statement)
