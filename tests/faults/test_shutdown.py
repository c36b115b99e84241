"""Replicas are stopped one after the other, as an upgrade does it, and no caller notices."""

import signal
from collections.abc import Mapping
from typing import Any

import pytest

from stockbuddy.embedded.client import Answer, Client
from tests.faults.load import Load
from tests.faults.shop import Shop

pytestmark = pytest.mark.timeout(900)

PATIENCE = 20
"""Acts between two stops."""


class ImpatientClient(Client):
    """Asks once: whatever a patient client would repeat is a failure here."""

    async def _call(
        self, method: str, path: str, body: Any, headers: Mapping[str, str], query: Mapping[str, Any] | None = None
    ) -> Answer:
        return await self._call_once(method, path, body, headers, query)


@pytest.mark.slow
async def test_each_replica_of_each_service_is_stopped_under_load(replicated_shop: Shop) -> None:
    shop = replicated_shop
    client = ImpatientClient(shop.client._http, shop.client._username, shop.client._password)
    await client.log_in()
    load = Load(client, "stopped")
    await load.open()
    async with load.running():
        await load.until_acknowledged(PATIENCE)
        for program in shop.programs.values():
            if program.name != "gateway":
                starts = program.starts
                program.signal(signal.SIGTERM)
                await program.until_started_again(starts)
                await shop.until_ready(program.name)
                await load.until_acknowledged(PATIENCE)
    await shop.books.reckon("SIGTERM of every service in turn", load)
