"""Signed checkpoints of the event log's chain, and the keys that sign them."""

from alembic import op

from stockbuddy.chassis.postgres.comments import comment_statements

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    CREATE TABLE checkpoint_key (
        kid text CONSTRAINT checkpoint_key_pkey PRIMARY KEY,
        public_jwk json NOT NULL,
        encrypted_private_key bytea NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE checkpoint (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT checkpoint_pkey PRIMARY KEY,
        position bigint NOT NULL,
        epoch bigint NOT NULL,
        audited bigint NOT NULL,
        hash bytea NOT NULL CONSTRAINT checkpoint_hash_check CHECK (length(hash) = 32),
        kid text NOT NULL CONSTRAINT checkpoint_key_fkey REFERENCES checkpoint_key,
        jws text NOT NULL,
        signed_at timestamptz NOT NULL
    )
    """,
    """
    CREATE TRIGGER checkpoint_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()
    """,
    """
    CREATE TRIGGER checkpoint_key_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON checkpoint_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite_history()
    """,
)

COMMENTS = {
    "checkpoint_key": {
        "": "Ed25519 keys that sign checkpoints; the newest signs, and all stay published.",
        "kid": "Key id, in the header of the signatures.",
        "public_jwk": "Public half as JSON Web Key (RFC 8037).",
        "encrypted_private_key": "Private half, encrypted with a key derived from SECRET_KEY.",
        "created_at": "When the key was created.",
    },
    "checkpoint": {
        "": "Signed heads of the event log's chain, append-only.",
        "id": "Order of the signatures.",
        "position": "Position of the last entry.",
        "epoch": "Epoch of the log.",
        "audited": "Number of audited entries up to the position.",
        "hash": "Hash of the last entry.",
        "kid": "Key that signed.",
        "jws": "The signed checkpoint as compact JWS (RFC 7515).",
        "signed_at": "When it was signed.",
    },
}


def upgrade() -> None:
    for statement in (*STATEMENTS, *comment_statements(COMMENTS)):
        op.execute(statement)
