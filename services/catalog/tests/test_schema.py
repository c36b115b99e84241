"""The database schema after all migrations, and the states that they publish."""

from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from stockbuddy.catalog.app import MIGRATIONS
from stockbuddy.chassis.postgres.database import Database
from stockbuddy.chassis.postgres.migrations import migrate
from stockbuddy.chassis.testing.comments import uncommented
from stockbuddy.chassis.testing.plugin import NewDatabase
from stockbuddy.chassis.testing.revisions import migrate_to


async def test_every_table_and_column_has_a_comment(database_url: str) -> None:
    database = Database(database_url, "catalog")
    async with database.reading() as session:
        assert await uncommented(session) == []
    await database.close()


class TestUpgrade:
    """From the release before migration 0017."""

    @pytest.fixture
    async def database_url(self, new_database: NewDatabase) -> str:
        return await new_database(lambda url: migrate_to("0016", url, "catalog", MIGRATIONS))

    async def test_states_that_stock_lacks_are_republished(
        self, database_url: str, start: Callable[[], Awaitable[Any]]
    ) -> None:
        database = await asyncpg.connect(database_url, server_settings={"search_path": "catalog"})
        await database.execute("""
            INSERT INTO category (name, parent_id, version) VALUES ('Drinks', NULL, 1), ('Tea', 1, 3);
            INSERT INTO product (sku, name, category_id, unit_price, barcodes, is_active)
            VALUES ('POT', 'Pot', NULL, 8, '{}', true), ('TEA', 'Tea', 2, 4.5, '{}', false)
        """)
        await database.close()
        await migrate(database_url, "catalog", MIGRATIONS)
        service = await start()
        drinks, tea = await service.events.wait_for("catalog.category.republished", 2)
        assert (drinks["name"], drinks["parent_id"]) == ("Drinks", None)
        assert (tea["name"], tea["parent_id"], tea["version"], tea["deleted"]) == (
            "Tea",
            drinks["category_id"],
            3,
            False,
        )
        [inactive] = await service.events.wait_for("catalog.product.republished")
        assert (inactive["sku"], inactive["category"], inactive["is_active"]) == ("TEA", "Tea", False)
