"""Add apps of third parties (OAuth2): their registration, the consents of users, grants, and what is issued to them."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    CREATE TABLE app (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL,
        homepage_url text,
        is_confidential boolean NOT NULL,
        secret_digest bytea,
        secret_hint text,
        secret_created_at timestamptz,
        redirect_uris text[] NOT NULL,
        scopes text[] NOT NULL,
        allows_device_flow boolean NOT NULL,
        version bigint NOT NULL,
        created_by bigint NOT NULL REFERENCES user_account,
        created_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        CONSTRAINT app_secret_of_confidential CHECK (is_confidential = (secret_digest IS NOT NULL))
    )
    """,
    """
    CREATE TABLE app_consent (
        app_id bigint NOT NULL REFERENCES app ON DELETE CASCADE,
        user_id bigint NOT NULL REFERENCES user_account,
        scopes text[] NOT NULL,
        granted_at timestamptz NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (app_id, user_id)
    )
    """,
    "CREATE INDEX app_consent_user ON app_consent (user_id)",
    """
    CREATE TABLE app_grant (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        app_id bigint NOT NULL REFERENCES app ON DELETE CASCADE,
        user_id bigint NOT NULL REFERENCES user_account,
        scopes text[] NOT NULL,
        token_generation bigint NOT NULL,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        expires_at timestamptz NOT NULL,
        ended_at timestamptz,
        ended_reason text
    )
    """,
    "CREATE INDEX app_grant_user ON app_grant (user_id, app_id)",
    "CREATE INDEX app_grant_app ON app_grant (app_id)",
    """
    CREATE TABLE app_refresh_token (
        digest bytea PRIMARY KEY,
        grant_id bigint NOT NULL REFERENCES app_grant ON DELETE CASCADE,
        created_at timestamptz NOT NULL,
        used_at timestamptz
    )
    """,
    "CREATE INDEX app_refresh_token_grant ON app_refresh_token (grant_id)",
    """
    CREATE TABLE app_authorization_code (
        digest bytea PRIMARY KEY,
        app_id bigint NOT NULL REFERENCES app ON DELETE CASCADE,
        user_id bigint NOT NULL REFERENCES user_account,
        redirect_uri text NOT NULL,
        code_challenge text NOT NULL,
        scopes text[] NOT NULL,
        expires_at timestamptz NOT NULL,
        used_at timestamptz,
        grant_id bigint REFERENCES app_grant ON DELETE CASCADE
    )
    """,
    "CREATE INDEX app_authorization_code_app ON app_authorization_code (app_id)",
    "CREATE INDEX app_authorization_code_grant ON app_authorization_code (grant_id)",
    """
    CREATE TABLE app_device_authorization (
        digest bytea PRIMARY KEY,
        user_code_digest bytea NOT NULL UNIQUE,
        app_id bigint NOT NULL REFERENCES app ON DELETE CASCADE,
        scopes text[] NOT NULL,
        interval_seconds integer NOT NULL,
        polled_at timestamptz,
        expires_at timestamptz NOT NULL,
        user_id bigint REFERENCES user_account,
        is_approved boolean
    )
    """,
    "CREATE INDEX app_device_authorization_app ON app_device_authorization (app_id)",
)

COMMENTS = {
    "app": {
        "": "Apps of third parties, registered as OAuth2 clients.",
        "id": "Number of the app; its client id is app-<id>.",
        "name": "Name that users see when they are asked for their consent.",
        "homepage_url": "Page about the app; null if it has none.",
        "is_confidential": "Whether it has a secret, because it runs on a server.",
        "secret_digest": "SHA-256 of the secret; null for a public app.",
        "secret_hint": "Last characters of the secret, to recognise it.",
        "secret_created_at": "When the secret was made.",
        "redirect_uris": "Where browsers may be sent with a code, compared character by character.",
        "scopes": "Permissions that it may ask users for.",
        "allows_device_flow": "Whether devices without a browser may start an authorization.",
        "version": "Increases by one with each change; also the entity tag.",
        "created_by": "User who registered it.",
        "created_at": "When it was registered.",
        "updated_at": "When it was last changed.",
    },
    "app_consent": {
        "": "What users allow apps.",
        "app_id": "The app.",
        "user_id": "The user.",
        "scopes": "All permissions that the user has consented to.",
        "granted_at": "When the user first consented.",
        "updated_at": "When scopes were last added.",
    },
    "app_grant": {
        "": "Authorizations of apps by users; each belongs to one device and has its own tokens.",
        "id": "Number of the grant; the claim sid of its access tokens begins with app:<id>.",
        "app_id": "App that received it.",
        "user_id": "User that the app acts for.",
        "scopes": "Permissions that its tokens are restricted to.",
        "token_generation": "Part of the claim sid; grows when access tokens must be refused.",
        "created_at": "When the app received it.",
        "last_used_at": "When one of its tokens was last used, accurate to some seconds.",
        "expires_at": "When it ends unless it is used before.",
        "ended_at": "When it ended; null while it is active.",
        "ended_reason": "Why it ended.",
    },
    "app_refresh_token": {
        "": "Refresh tokens of grants, used ones included, so that reuse is detected.",
        "digest": "SHA-256 of the token.",
        "grant_id": "Grant that it refreshes.",
        "created_at": "When it was issued.",
        "used_at": "When it was used; null: not yet.",
    },
    "app_authorization_code": {
        "": "Authorization codes, used ones included, so that reuse is detected.",
        "digest": "SHA-256 of the code.",
        "app_id": "App that it was issued to.",
        "user_id": "User who consented.",
        "redirect_uri": "Where it was sent; the token request repeats it.",
        "code_challenge": "SHA-256 of the code verifier (PKCE), in base64url.",
        "scopes": "Permissions that the user consented to.",
        "expires_at": "When it can no longer be used.",
        "used_at": "When it was used; null: not yet.",
        "grant_id": "Grant that it was exchanged for.",
    },
    "app_device_authorization": {
        "": "Authorizations that devices without a browser have started.",
        "digest": "SHA-256 of the device code.",
        "user_code_digest": "Keyed digest of the code that the user types.",
        "app_id": "App on the device.",
        "scopes": "Permissions that it asks for.",
        "interval_seconds": "Minimum interval between its polls.",
        "polled_at": "When it last polled.",
        "expires_at": "When it must start again.",
        "user_id": "User who decided; null: undecided.",
        "is_approved": "What the user decided; null: undecided.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
