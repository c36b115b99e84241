"""Import of a sales history through the public API, with totals that agree with the API's responses."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest

from stockbuddy.chassis.testing.clients import PASSWORD, User

WHEN = "2010-12-0{}T08:26:00"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID\n"


@pytest.fixture
def history(tmp_path: Path) -> Path:
    """Sixty invoices of three lines; every tenth has a cancellation, every fifth an invalid line."""
    lines = []
    for number in range(60):
        when = WHEN.format(1 + number % 9)
        lines += [f"{number},1000{n},PRODUCT {n},{1 + n},{when},{n}.25,7\n" for n in range(3)]
        if number % 10 == 9:
            lines.append(f"C{number},10001,PRODUCT 1,-1,{when},1.25,7\n")
        if number % 5 == 4:
            lines.append(f"{number},POST,POSTAGE,1,{when},18.00,7\n")
    path = tmp_path / "history.csv"
    path.write_text(HEADER + "".join(lines))
    return path


async def run_replay(base_url: str, admin: User, history: Path, *, stop_after: int | None = None) -> str:
    """The output of the import, which is terminated once `stop_after` invoices are posted."""
    environment = {
        **os.environ,
        "STOCKBUDDY_URL": base_url,
        "STOCKBUDDY_USERNAME": admin.username,
        "STOCKBUDDY_PASSWORD": PASSWORD,
    }
    command = [sys.executable, "-m", "stockbuddy.embedded.replay", str(history)]
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    if stop_after is not None:
        await admin.until("/sales", lambda page: page["total"] >= stop_after)
        process.terminate()
    output, errors = await process.communicate()
    assert stop_after is not None or process.returncode == 0, (output + errors).decode()
    return output.decode()


def counted(output: str, name: str) -> int:
    found = re.search(rf"{re.escape(name)}\s+([\d,]+)", output)
    assert found is not None, output
    return int(found.group(1).replace(",", ""))


async def test_every_line_is_posted_or_rejected_and_totals_agree(base_url: str, admin: User, history: Path) -> None:
    output = await run_replay(base_url, admin, history)
    assert (counted(output, "lines read"), counted(output, "posted"), counted(output, "rejected")) == (198, 186, 12)
    assert counted(output, "not merchandise (postage, fee, discount, voucher, correction)") == 12
    assert counted(output, "units sold, less returned") == 60 * (1 + 2 + 3) - 6
    assert re.search(r"totals agree\s+yes", output)
    assert (await admin.get("/sales"))["total"] == 60


async def test_interrupted_import_can_be_repeated_without_double_effects(
    base_url: str, admin: User, history: Path
) -> None:
    await run_replay(base_url, admin, history, stop_after=5)
    output = await run_replay(base_url, admin, history)
    again = await run_replay(base_url, admin, history)
    for text in (output, again):
        assert counted(text, "posted") == 186
        assert re.search(r"totals agree\s+yes", text)
    assert (await admin.get("/sales"))["total"] == 60
    assert (await admin.get("/stock/integrity"))["ok"] is True
