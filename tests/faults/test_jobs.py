"""The process that works on a job is killed at each step of reports, exports and imports, under load."""

import pytest

from tests.faults.deployment import Deployment
from tests.faults.imports import request_import, verify_imports, wait_until_imported, wait_until_notified
from tests.faults.jobs import read, request_job, verify_jobs, wait_until_done
from tests.faults.steps import Reading, Step, steps_of_events, steps_of_jobs

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

JOBS = 5
"""As many as a user may have open: more than there are workers."""
IMPORTS = 3
EXPORTED_PRODUCTS = 2500
DESCRIPTION = "D" * 1000
"""The export of these products has more than two parts."""
CUSTOMERS = 20
PERIOD = "from=2026-01-01&to=2027-01-01&tz=UTC"

REPORT_STEPS = [Reading("while the report reads", "stock.customer"), *steps_of_jobs("stock")]
PART = "catalog.job_result"
EXPORT_STEPS = [
    Step("while the first part is read", "INSERT", PART, "NEW.number = 0", transactions=2),
    Step("between two parts of the result", "INSERT", PART, "NEW.number = 1", transactions=2),
    *steps_of_jobs("catalog"),
]
IMPORT = "catalog.import_job"
NEXT_BATCH = "NEW.reached > OLD.reached"
IMPORT_STEPS = [
    Step("import claimed", "UPDATE", IMPORT, "NEW.attempts > OLD.attempts", commits=True, transactions=2),
    Step("while the file is read", "INSERT", "catalog.import_row", "NEW.number = 300"),
    Step("file read", "UPDATE", IMPORT, "OLD.total IS NULL AND NEW.total IS NOT NULL", commits=True),
    Step("rows of a batch written, not committed", "UPDATE", IMPORT, NEXT_BATCH),
    Step("batch committed", "UPDATE", IMPORT, NEXT_BATCH, commits=True),
    Step("all rows imported, not done", "UPDATE", IMPORT, "NEW.state = 'finished'"),
    *steps_of_events("catalog", "catalog.import.finished", "finished", IMPORT),
]


def name_of(step: Step | Reading) -> str:
    return step.name.replace(" ", "-").replace(",", "")


@pytest.fixture(scope="session")
async def report(mailing_deployment: Deployment) -> str:
    """A report on sales that the load does not change."""
    client = mailing_deployment.client
    product = await client.post("/products", {"sku": "REPORTED", "name": "Lamp", "unit_price": "9"}, key="product")
    warehouse = await client.post("/warehouses", {"name": "Reported", "code": "REPORTED"}, key="warehouse")
    place = {"product_id": product.body["id"], "warehouse_id": warehouse.body["id"]}
    received = {**place, "movement_type": "purchase", "quantity": 10_000, "unit_cost": "4"}
    assert (await client.post_replicated("/stock-movements", received, key="received")).accepted
    for number in range(CUSTOMERS):
        customer = await client.post("/customers", {"name": f"Customer {number}"}, key=f"customer:{number}")
        sale = {**place, "quantity": number + 1, "customer_id": customer.body["id"]}
        assert (await client.post("/sales", sale, key=f"sale:{number}")).accepted
    path = f"/api/v1/reports/sales?group_by=customer&format=csv&warehouse_id={warehouse.body['id']}&{PERIOD}"
    assert (await read(mailing_deployment, path)).count(b"Customer ") == CUSTOMERS
    return path


@pytest.fixture(scope="session")
async def export(mailing_deployment: Deployment) -> str:
    """An export of products that the load does not change."""
    imported = await request_import(mailing_deployment, "exported", EXPORTED_PRODUCTS, description=DESCRIPTION)
    await wait_until_imported(mailing_deployment, imported)
    path = "/api/v1/products/export?search=exported"
    assert (await read(mailing_deployment, path)).count(b"exported-") == EXPORTED_PRODUCTS
    return path


@pytest.mark.parametrize("step", REPORT_STEPS, ids=name_of)
async def test_each_report_is_done_once(mailing_deployment: Deployment, report: str, step: Step | Reading) -> None:
    await kill_during_jobs(mailing_deployment, "reports", "stock", report, step)


@pytest.mark.parametrize("step", EXPORT_STEPS, ids=name_of)
async def test_each_export_is_done_once(mailing_deployment: Deployment, export: str, step: Step) -> None:
    await kill_during_jobs(mailing_deployment, "exports", "catalog", export, step)


async def kill_during_jobs(deployment: Deployment, kind: str, service: str, path: str, step: Step | Reading) -> None:
    program, verifier = deployment.programs[service], deployment.verifier
    fault = f"{kind}, {service} killed: {step.name}"
    starts = program.starts
    async with deployment.load(f"{service}-{name_of(step)}") as load:
        async with step.killing(program, verifier):
            jobs = [await request_job(deployment, path) for _ in range(JOBS)]
        for job in jobs:
            await wait_until_done(deployment, job)
        await load.wait_until_acknowledged(20)
    assert program.starts == starts + 1
    await verifier.verify(fault, load)
    await verify_jobs(fault, deployment, service, jobs, path)


@pytest.mark.parametrize("step", IMPORT_STEPS, ids=name_of)
async def test_each_import_is_done_once(mailing_deployment: Deployment, step: Step) -> None:
    catalog, verifier = mailing_deployment.programs["catalog"], mailing_deployment.verifier
    fault, name = f"imports, catalog killed: {step.name}", f"import-{name_of(step)}"
    starts = catalog.starts
    async with mailing_deployment.load(f"load-{name}") as load:
        async with step.killing(catalog, verifier):
            imports = [await request_import(mailing_deployment, f"{name}-{file}") for file in range(IMPORTS)]
        for import_id in imports:
            await wait_until_imported(mailing_deployment, import_id)
        await wait_until_notified(mailing_deployment, imports)
        await load.wait_until_acknowledged(20)
    assert catalog.starts == starts + 1
    await verifier.verify(fault, load)
    await verify_imports(fault, mailing_deployment, name, imports)
