"""What this service stores about users, without secrets and their digests."""

from stockbuddy.chassis.http.personal_data import section_query

OF_USER = {
    "account": section_query("""
        SELECT id, username, email, email_confirmed, pending_email, full_name, role, warehouse_ids, is_active,
               has_second_factor, created_at, updated_at, erased_at
        FROM user_account WHERE id = :id"""),
    "sessions": section_query("""
        SELECT id, user_agent, ip_address, created_at, last_used_at, expires_at, ended_at, ended_reason
        FROM login_session WHERE user_id = :id ORDER BY created_at DESC"""),
    "addresses": section_query("""
        SELECT address, last_login_at FROM known_address WHERE user_id = :id ORDER BY last_login_at DESC"""),
    "api_keys": section_query("""
        SELECT id, name, hint, role, created_at, expires_at, last_used_at, revoked_at
        FROM api_key WHERE owner_id = :id ORDER BY id DESC"""),
    "passkeys": section_query("""
        SELECT id, name, created_at, last_used_at FROM passkey WHERE user_id = :id ORDER BY id DESC"""),
    "identities": section_query("""
        SELECT issuer, subject, created_at, last_used_at FROM oidc_identity WHERE user_id = :id"""),
    "consents": section_query("""
        SELECT c.app_id, a.name AS app, c.scopes, c.granted_at
        FROM app_consent c JOIN app a ON a.id = c.app_id WHERE c.user_id = :id ORDER BY c.granted_at DESC"""),
    "views": section_query("""
        SELECT id, path, name, query, is_shared, created_at, updated_at
        FROM saved_view WHERE owner_id = :id ORDER BY id DESC"""),
    "invitations": section_query("""
        SELECT id, note, created_at, used_at FROM invitation WHERE used_by = :id ORDER BY id DESC"""),
    "emails": section_query("""
        SELECT kind, recipient, queued_at, last_error FROM queued_email WHERE user_id = :id ORDER BY id DESC"""),
}
