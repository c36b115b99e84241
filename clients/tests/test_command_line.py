"""The command `stockbuddy`, as people and programs use it."""

import asyncio
import base64
import json
import os
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from stockbuddy_client import webhooks

from clients.tests.conftest import GuardedUser
from clients.tests.faulty_proxy import CLOSED_PORT
from stockbuddy.chassis.testing.clients import PASSWORD, User, register

SECRET = f"whsec_{base64.b64encode(b'secret of a listener').decode()}"
WAIT_SECONDS = 60


@dataclass(frozen=True)
class Result:
    code: int
    output: str
    errors: str

    def json(self) -> Any:
        assert self.code == 0, self.errors
        return json.loads(self.output)


Run = Callable[..., Awaitable[Result]]


@pytest.fixture
def environment(gateway_url: str, tmp_path: Path) -> dict[str, str]:
    return {**os.environ, "STOCKBUDDY_URL": gateway_url, "XDG_CONFIG_HOME": str(tmp_path)}


@pytest.fixture
def run(environment: dict[str, str]) -> Run:
    async def run_command(*arguments: str, given: str = "", **variables: str) -> Result:
        process = await start(arguments, {**environment, **variables})
        output, errors = await process.communicate(given.encode())
        return Result(process.returncode or 0, output.decode(), errors.decode())

    return run_command


async def start(arguments: tuple[str, ...], environment: dict[str, str]) -> asyncio.subprocess.Process:
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "stockbuddy_client.cli", *arguments),
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )


async def test_login_stores_a_key_that_logout_deletes(
    run: Run, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    refused = await run("products", "list")
    assert (refused.code, "stockbuddy login" in refused.errors) == (3, True)
    wrong = await run("login", "--username", "ada", STOCKBUDDY_PASSWORD="of-a-typo")
    assert (wrong.code, "Traceback" in wrong.errors) == (3, False)
    assert (await run("login", "--username", "ada", STOCKBUDDY_PASSWORD=PASSWORD)).code == 0
    file = tmp_path / "stockbuddy" / "accounts.json"
    assert file.stat().st_mode & 0o077 == 0
    keys = await admin.get("/auth/api-keys")
    assert any(key["name"].startswith("stockbuddy on ") and key["expires_at"] for key in keys["items"])
    assert shop["sku"] in (await run("products", "list")).output
    assert (await run("logout", STOCKBUDDY_PASSWORD=PASSWORD)).code == 0
    assert keys["total"] - 1 == (await admin.get("/auth/api-keys"))["total"]
    assert (await run("products", "list")).code == 3
    assert (await run("login", "--with-key", given=shop["key"] + "\n")).code == 0
    assert (await run("products", "list")).code == 0


async def test_login_asks_a_user_with_a_second_factor_for_a_code(run: Run, guarded_user: GuardedUser) -> None:
    password = {"STOCKBUDDY_PASSWORD": PASSWORD}
    wrong = await run("login", "--username", guarded_user.username, given="000-wrong\n", **password)
    assert (wrong.code, "is wrong" in wrong.errors) == (3, True)
    code = guarded_user.recovery_codes.pop()
    done = await run("login", "--username", guarded_user.username, given=f"{code}\n", **password)
    assert done.output.endswith(" as grace.\n"), done.errors
    assert (await run("products", "list")).code == 0


async def test_records_as_tables_for_people_and_json_for_programs(
    run: Run, shop: dict[str, str], admin: User, tmp_path: Path
) -> None:
    key, sku = {"STOCKBUDDY_API_KEY": shop["key"]}, f"CLI-{tmp_path.name}"
    made = (await run("products", "create", sku, "Tea", "--price", "2.50", "--quantity", "4.5", "--json", **key)).json()
    assert (made["sku"], made["unit_price"]) == (sku, "2.50")
    await admin.until("/stock-levels", lambda page: page["total"] == 1, product_id=made["id"])
    sale = (await run("sales", "create", sku, "1.25", "--reference", sku, "--json", **key)).json()
    assert (sale["total"], sale["lines"][0]["quantity"]) == ("3.13", 1.25)
    moved = (await run("stock", "move", "--json", "--type", "damaged", sku, "0.5", **key)).json()
    assert (moved["quantity"], moved["balance"]) == (-0.5, 2.75)
    levels = (await run("stock", "list", "--filter", f"sku={sku}", "--json", **key)).json()
    assert [level["on_hand"] for level in levels] == [2.75]
    table = await run("sales", "list", "--search", sku, **key)
    assert table.code == 0
    heading, row = table.output.rstrip().splitlines()
    assert heading.split() == ["id", "number", "status", "total", "occurred", "at", "reference", "seller"]
    assert {"3.13", sku, "completed"} <= set(row.split())
    shown = await run("products", "show", sku, **key)
    assert re.search(r"unit price\s+2.50", shown.output)
    assert (await run("sales", "void", str(sale["id"]), "--json", **key)).json()["status"] == "voided"
    assert (await run("orders", "list", "--json", **key)).json() == []


async def test_exit_codes_tell_refusals_permissions_and_outages_apart(
    run: Run, shop: dict[str, str], admin: User
) -> None:
    key = {"STOCKBUDDY_API_KEY": shop["key"]}
    short = await run("sales", "create", shop["sku"], "9000000", **key)
    assert (short.code, f"{shop['sku']}: 9000000 requested" in short.errors) == (1, True)
    assert (await run("products", "list", "--filter", "nonsense", **key)).code == 2
    assert (await run("products", "list", STOCKBUDDY_API_KEY="sbk_wrong")).code == 3
    user = await register(admin.http, "cleo")
    sellers = await user.post("/auth/api-keys", {"name": "of a salesperson"})
    assert (await run("orders", "list", STOCKBUDDY_API_KEY=sellers["key"])).code in (0, 3)
    away = await run("doctor", "--json", STOCKBUDDY_URL=CLOSED_PORT)
    assert (away.code, json.loads(away.output)[0]["state"]) == (1, "fault")


async def test_import_and_export(run: Run, shop: dict[str, str], tmp_path: Path) -> None:
    key, sku, file, errors = (
        {"STOCKBUDDY_API_KEY": shop["key"]},
        f"FILE-{tmp_path.name}",
        tmp_path / "new.csv",
        tmp_path / "bad",
    )
    file.write_text(f"sku,name,unit_price\n{sku},Kettle,30\n{sku}-2,Pot,cheap\n", encoding="utf-8")
    checked = await run("import", str(file), "--dry-run", "--errors", str(errors), "--json", **key)
    assert (checked.code, json.loads(checked.output)["created"], "cheap" in errors.read_text()) == (1, 1, True)
    imported = await run("import", str(file), **key)
    assert (imported.code, imported.output) == (1, "1 created, 0 updated, 0 skipped, 1 failed\n")
    exported = tmp_path / "all.csv"
    assert (await run("export", "--output", str(exported), **key)).code == 0
    assert f"{sku},Kettle" in exported.read_text(encoding="utf-8-sig")
    again = (await run("import", str(exported), "--json", **key)).json()
    assert (again["created"], again["failed"]) == (0, 0)


async def test_listen_forwards_events_in_order_with_signatures(
    environment: dict[str, str], shop: dict[str, str], admin: User
) -> None:
    """The receiver is started after the first event, which waits for it."""
    received: list[Any] = []
    done = asyncio.Event()

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head)}
        body = await reader.readexactly(int(headers["content-length"]))
        received.append(webhooks.verify(headers, body, [SECRET]))
        writer.write(b"HTTP/1.1 204 \r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        if len(received) == 3:
            done.set()

    head = (await admin.call("GET", "/events", params={"after": "9" * 18})).json()["head"]
    for number in range(3):
        await admin.post("/sales", {"product": shop["sku"], "quantity": 1, "reference": f"forwarded {number}"})
    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    arguments = (
        "listen",
        "--forward-to",
        f"http://127.0.0.1:{port}/",
        "--types",
        "stock.sale.*",
        "--after",
        head,
        "--count",
        "3",
    )
    variables = {"STOCKBUDDY_API_KEY": shop["key"], "STOCKBUDDY_WEBHOOK_SECRET": SECRET}
    process = await start(arguments, {**environment, **variables})
    assert process.stderr is not None
    async with asyncio.timeout(WAIT_SECONDS):
        assert "trying again" in (await process.stderr.readline()).decode()
        async with await asyncio.start_server(receive, "127.0.0.1", port):
            await done.wait()
            output, _ = await process.communicate()
    assert process.returncode == 0
    assert [event["data"]["reference"] for event in received] == ["forwarded 0", "forwarded 1", "forwarded 2"]
    assert [line.split()[:2] for line in output.decode().splitlines()] == [["204", "stock.sale.completed"]] * 3


async def test_doctor_finds_a_sound_system(run: Run, shop: dict[str, str]) -> None:
    result = await run("doctor", "--json", STOCKBUDDY_API_KEY=shop["key"])
    findings = {finding["check"]: finding["state"] for finding in result.json()}
    assert findings == dict.fromkeys(["server", "clock", "versions", "account", "stock", "audit log"], "ok")


async def test_commands_of_the_installed_server_appear(run: Run) -> None:
    listed = (await run("--help")).output
    for name in ("serve", "demo", "migrate", "dead-letters", "setup-token", "rotate-keys", "events", "consumers"):
        assert re.search(rf"^  {name} +[A-Z].*\.$", listed, re.MULTILINE), listed
    shown = await run("replay", "--help")
    assert (shown.code, "--columns" in shown.output) == (0, True)
