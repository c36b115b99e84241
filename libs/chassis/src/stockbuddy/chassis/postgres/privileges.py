"""Privileges of the serving role in a schema that another role owns: read and write rows only.

An operation that a trigger rejects is also revoked as a privilege: the serving role can neither perform it nor drop the
trigger, which only the owner can.
"""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from stockbuddy.chassis.postgres.partitions import GRANT_STEPS

_GRANTS = """
    GRANT USAGE ON SCHEMA {schema} TO {role};
    GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
    GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
    REVOKE INSERT, UPDATE, DELETE ON schema_version FROM {role}
"""

# `tgtype` is a set of bits (catalog/pg_trigger.h): 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate.
_REJECTED_OPERATIONS = text("""
    SELECT quote_ident(c.relname) AS table_name, concat_ws(', ',
        CASE WHEN t.tgtype & 4 > 0 THEN 'INSERT' END, CASE WHEN t.tgtype & 8 > 0 THEN 'DELETE' END,
        CASE WHEN t.tgtype & 16 > 0 THEN 'UPDATE' END, CASE WHEN t.tgtype & 32 > 0 THEN 'TRUNCATE' END) AS operations
    FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE c.relnamespace = to_regnamespace(quote_ident(:schema)) AND p.proname LIKE 'refuse%' AND t.tgtype & 3 = 2
""")


async def grant_serving(connection: AsyncConnection, schema: str, role: str) -> None:
    """Idempotent. Call it with `schema` as the search path, in the transaction that may have created tables.
    A rejecting trigger is a BEFORE STATEMENT trigger whose function's name begins with `refuse`."""
    quote = connection.dialect.identifier_preparer.quote_identifier
    for statement in _GRANTS.format(schema=quote(schema), role=quote(role)).split(";"):
        await connection.execute(text(statement))
    await connection.execute(text(GRANT_STEPS.format(role=quote(role).replace("'", "''"))))
    for rejected in await connection.execute(_REJECTED_OPERATIONS, {"schema": schema}):
        await connection.execute(text(f"REVOKE {rejected.operations} ON {rejected.table_name} FROM {quote(role)}"))
