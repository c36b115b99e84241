"""The database schema after all migrations."""

from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.testing.comments import uncommented


async def test_every_table_and_column_has_a_comment(database_url: str) -> None:
    database = Database(database_url, "catalog")
    async with database.reading() as session:
        assert await uncommented(session) == []
    await database.close()
