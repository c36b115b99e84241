"""Add sign-in with OpenID Connect: started sign-ins, and the users' identities at providers."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE oidc_sign_in (
        digest bytea PRIMARY KEY,
        provider text NOT NULL,
        browser_digest bytea NOT NULL,
        nonce text NOT NULL,
        encrypted_code_verifier bytea NOT NULL,
        return_to text NOT NULL,
        expires_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TABLE oidc_identity (
        issuer text NOT NULL,
        subject text NOT NULL,
        user_id bigint NOT NULL REFERENCES user_account,
        created_at timestamptz NOT NULL,
        last_used_at timestamptz NOT NULL,
        PRIMARY KEY (issuer, subject)
    )
    """,
    "CREATE INDEX oidc_identity_user ON oidc_identity (user_id)",
)

COMMENTS = {
    "oidc_sign_in": {
        "": "Browsers that were sent to an identity provider and have not come back.",
        "digest": "SHA-256 of the state parameter.",
        "provider": "Name of the provider.",
        "browser_digest": "SHA-256 of the cookie that only this browser has.",
        "nonce": "Value that the ID token must contain.",
        "encrypted_code_verifier": "PKCE's code verifier, encrypted with a key derived from SECRET_KEY.",
        "return_to": "Path that the browser is sent to after the sign-in.",
        "expires_at": "When the sign-in must start again.",
    },
    "oidc_identity": {
        "": "Identities of users at identity providers.",
        "issuer": "Issuer of the ID tokens.",
        "subject": "The provider's name of the user, which never changes.",
        "user_id": "User that the identity belongs to.",
        "created_at": "When the identity was first used.",
        "last_used_at": "When it was last used.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
