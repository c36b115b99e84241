"""Imports that a deployment runs in the background, and what they must have led to."""

import json
from collections.abc import Sequence

from tests.faults.deployment import Deployment
from tests.faults.jobs import VerifiedJobs, send, wait_until_done

ROWS = 600
"""Of a file: more than one batch."""
QUANTITY = 3

_DONE = "SELECT count(*) FROM catalog.import_job WHERE id = ANY($1) AND state = 'finished' AND created = $2"
_FINISHED = """
    SELECT count(*) FROM notifications.event_log
    WHERE type = 'catalog.import.finished' AND CAST(data->>'import_id' AS bigint) = ANY($1)
"""
_NOTIFIED = "SELECT count(*) FROM notifications.notification WHERE kind = 'import_finished' AND about_subject = ANY($1)"
_PRODUCTS = "SELECT count(DISTINCT sku) FROM catalog.product WHERE starts_with(sku, $1)"
_CREATED = """
    SELECT count(*) FROM notifications.event_log
    WHERE type = 'catalog.product.created' AND starts_with(data->>'sku', $1)
"""
_UNITS = """
    SELECT coalesce(sum(l.on_hand), 0) FROM stock.level l JOIN catalog.product p ON p.id = l.product_id
    WHERE starts_with(p.sku, $1)
"""


async def request_import(deployment: Deployment, name: str, rows: int = ROWS, *, description: str = "") -> int:
    """The id of an import of products with SKUs that begin with `name`, and an opening quantity each."""
    lines = "".join(f"{name}-{row},Part {row} of {name},1.50,{QUANTITY},{description}\n" for row in range(rows))
    content = f"sku,name,unit_price,quantity,description\n{lines}".encode()
    status, response = await send(deployment, "POST", "/api/v1/imports", body=content)
    assert status == 202, response
    return int(json.loads(response)["id"])


async def wait_until_imported(deployment: Deployment, import_id: int) -> None:
    await wait_until_done(deployment, f"/api/v1/imports/{import_id}", done="finished")


async def wait_until_notified(deployment: Deployment, imports: Sequence[int]) -> None:
    await deployment.verifier.wait_until(f"SELECT ({_NOTIFIED}) >= $2", True, _subjects(imports), len(imports))


async def verify_imports(fault: str, deployment: Deployment, name: str, imports: Sequence[int]) -> VerifiedJobs:
    """Assert that each import ended once, with one event and one notification, and that each row of the files, whose
    SKUs begin with `name`, is one product with its stock. Everything is published and processed."""
    value = deployment.verifier.value
    rows = ROWS * len(imports)
    products, created = await value(_PRODUCTS, name), await value(_CREATED, name)
    ends = [await value(_FINISHED, imports), await value(_NOTIFIED, _subjects(imports))]
    verified = VerifiedJobs(
        fault,
        requested=len(imports),
        done=await value(_DONE, imports, ROWS),
        lost=rows - products + sum(max(0, len(imports) - count) for count in ends),
        duplicated=created - products + sum(max(0, count - len(imports)) for count in ends),
        repeated=0,
    )
    print(f"\n{verified}, rows {rows}")
    assert verified.requested == verified.done
    assert (verified.lost, verified.duplicated, created) == (0, 0, rows)
    assert await value(_UNITS, name) == rows * QUANTITY
    return verified


def _subjects(imports: Sequence[int]) -> list[str]:
    return [f"import/{import_id}" for import_id in imports]
