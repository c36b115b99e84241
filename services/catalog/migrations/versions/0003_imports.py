"""Import jobs: the file until its rows are read, the rows until the job ends; failed rows are kept."""

from alembic import op

revision = "0003"
down_revision = "0002"

IMPORTS = (
    """
    CREATE TABLE import_job (
        id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT import_job_pkey PRIMARY KEY,
        state text NOT NULL DEFAULT 'queued'
            CONSTRAINT import_job_state CHECK (state IN ('queued', 'running', 'finished', 'failed')),
        dry_run boolean NOT NULL,
        format text NOT NULL CONSTRAINT import_job_format CHECK (format IN ('csv', 'xlsx')),
        file_name text,
        columns text[] NOT NULL,
        total integer,
        reached integer NOT NULL DEFAULT 0,
        done integer NOT NULL DEFAULT 0,
        created integer NOT NULL DEFAULT 0,
        updated integer NOT NULL DEFAULT 0,
        unchanged integer NOT NULL DEFAULT 0,
        failed integer NOT NULL DEFAULT 0,
        problem text,
        actor_id bigint NOT NULL,
        actor_name text,
        client_ip text,
        request_id text,
        traceparent text,
        runner uuid,
        lease_until timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL DEFAULT now(),
        started_at timestamptz,
        finished_at timestamptz,
        CONSTRAINT import_job_counts CHECK (done = created + updated + unchanged + failed)
    )
    """,
    "CREATE INDEX import_job_open ON import_job (id) WHERE state IN ('queued', 'running')",
    """
    CREATE TABLE import_file (
        import_id bigint CONSTRAINT import_file_pkey PRIMARY KEY CONSTRAINT import_file_job REFERENCES import_job,
        content bytea NOT NULL
    )
    """,
    """
    CREATE TABLE import_row (
        import_id bigint CONSTRAINT import_row_job REFERENCES import_job,
        number integer,
        cells text[] NOT NULL,
        problem text,
        CONSTRAINT import_row_pkey PRIMARY KEY (import_id, number)
    )
    """,
)


def upgrade() -> None:
    for statement in IMPORTS:
        op.get_bind().exec_driver_sql(statement)
