"""docs/database.md describes the tables of the newest schemas."""

from stockbuddy.chassis.testing.templates import ServiceMigrations, TemplateDatabases
from stockbuddy.embedded.database_page import PAGE, database_page
from stockbuddy.embedded.service_registry import SERVICES


async def test_page_of_the_database_is_up_to_date(databases: TemplateDatabases) -> None:
    async with databases.clone([ServiceMigrations(one.name, one.migrations) for one in SERVICES]) as url:
        page = await database_page(url)
    assert PAGE.read_text(encoding="utf-8") == page, "run `make contracts`"
    for schema in SERVICES:
        assert f"\n## {schema.name}\n" in page
    assert page.count("\n### outbox_group\n") == 1, "shared tables are described once"
    assert page.count("\n### inbox\n") == 2, "and again for stock, whose inbox has a column of its own"
    assert "| `on_hand` | numeric" in page
