"""Processes are killed: at any time, and between two steps that are not atomic."""

import signal

import pytest

from tests.faults.deployment import Deployment

pytestmark = pytest.mark.timeout(900)

WAIT_BEFORE_MARKING = """
    CREATE FUNCTION stock.wait_before_marking() RETURNS trigger LANGUAGE plpgsql AS
    $$BEGIN PERFORM pg_advisory_xact_lock_shared(1); RETURN NEW; END$$;
    CREATE TRIGGER wait BEFORE UPDATE ON stock.outbox_chunk FOR EACH ROW EXECUTE FUNCTION stock.wait_before_marking();
"""


async def test_relay_killed_between_publishing_and_marking_loses_nothing(shared_deployment: Deployment) -> None:
    """A trigger that waits for a lock stops the relay after it has published."""
    stock, verifier = shared_deployment.programs["stock"], shared_deployment.verifier
    await verifier.execute(WAIT_BEFORE_MARKING)
    async with shared_deployment.load("relay") as load:
        async with verifier.locked("SELECT pg_advisory_xact_lock(1)"):
            logged = await verifier.value("SELECT count(*) FROM notifications.event_log")
            await load.wait_until_acknowledged(5)
            await verifier.wait_until("SELECT count(*) > $1 FROM notifications.event_log", True, logged)
            assert await verifier.value(
                "SELECT count(*) FROM stock.outbox_event JOIN notifications.event_log USING (event_id)"
                " WHERE sent_at IS NULL"
            )
            stock.signal(signal.SIGKILL)
            await stock.wait_for_start_after(stock.starts)
        await load.wait_until_acknowledged(20)
    await verifier.execute("DROP FUNCTION stock.wait_before_marking CASCADE")
    await verifier.verify("relay killed between publishing and marking", load)


async def test_consumer_killed_between_commit_and_acknowledgement_has_one_effect(shared_deployment: Deployment) -> None:
    catalog, proxy, verifier = (
        shared_deployment.programs["catalog"],
        shared_deployment.proxies["catalog"],
        shared_deployment.verifier,
    )
    async with shared_deployment.load("consumer") as load:
        proxy.block_requests()
        replicated = await verifier.value("SELECT sum(version) FROM catalog.stock_level")
        await load.wait_until_acknowledged(10)
        await verifier.wait_until("SELECT sum(version) > $1 FROM catalog.stock_level", True, replicated)
        catalog.signal(signal.SIGKILL)
        proxy.cut()
        proxy.pass_all()
        await catalog.wait_for_start_after(catalog.starts)
        await load.wait_until_acknowledged(20)
    await verifier.verify("consumer killed after commit and before ack", load)


@pytest.mark.slow
async def test_stock_killed_ten_times_loses_nothing(deployment: Deployment) -> None:
    stock = deployment.programs["stock"]
    async with deployment.load("ten") as load:
        for _ in range(10):
            stock.signal(signal.SIGKILL)
            await stock.wait_for_start_after(stock.starts)
            await load.wait_until_acknowledged(20)
    await deployment.verifier.verify("stock killed ten times", load)
