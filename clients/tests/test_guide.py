"""Every code block of docs/guide works as it is written, against the real system; /guide serves the pages."""

import asyncio
import os
import re
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2 as httpx
import pytest

from clients.tests.faulty_proxy import FaultyProxy, Received
from clients.tests.node import NODE
from stockbuddy.chassis.testing.clients import PASSWORD, User

CLIENTS = Path(__file__).parents[1]
GUIDE = CLIENTS.parent / "docs" / "guide"
WAIT_SECONDS = 60
PAGES = sorted(GUIDE.glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PROGRAMS = {
    "sh": ["bash", "-euo", "pipefail"],
    "python": [sys.executable],
    "js": [NODE],
}
SUFFIXES = {"sh": ".sh", "python": ".py", "js": ".mjs"}
EXPECTED = {
    "index.md": ["22.5"],
    "web-frontend.md": ["admin", "short of", "20.00 52.50", "LAMP-1", "stock.level.changed"],
    "till.md": ["receipt ", "1 0 None", "insufficient_stock"],
    "event-consumer.md": ["JAM has 4 left"],
    "operator.md": ['"status":"ok"', "audit log", "2 created, 0 updated, 0 skipped, 0 failed\n", "PEN-2", "Logged out"],
    "errors.md": ['"code":"unknown_product"', '"field":"lines.0.quantity"', "MUG 9000000"],
    "pagination.md": ['"next_cursor"', "MUG"],
    "retries.md": ["201", "Idempotent-Replayed: true"],
    "webhooks.md": ["S-1"],
    "permissions.md": ["sale.discount", "forbidden sales"],
}
"""What the programs of a page print."""


def programs(page: Path) -> dict[str, str]:
    """The blocks of a page, joined by language."""
    found: dict[str, str] = {}
    for language, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        found[language] = found.get(language, "") + code
    return found


def filled(code: str, values: dict[str, str]) -> str:
    for documented, actual in values.items():
        code = code.replace(documented, actual)
    return code


def test_every_page_with_code_has_expectations() -> None:
    assert {page.name for page in PAGES if programs(page)} == set(EXPECTED)
    assert {language for page in PAGES for language in programs(page)} == set(PROGRAMS)


class PatientProxy(FaultyProxy):
    """Waits longer than the server's two seconds for products that other services do not know yet: the machine may be
    busy. A refused request has no effect, so that it may be repeated."""

    async def _forward(self, request: Received) -> httpx.Response:
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            response = await super()._forward(request)
            is_known = b"unknown_product" not in response.content or b"NOT-THERE" in request.body
            if is_known or time.monotonic() > deadline:
                return response


@pytest.fixture
async def server_url(direct: httpx.AsyncClient) -> AsyncIterator[str]:
    async with PatientProxy(direct).running() as proxy:
        proxy.start_case([])
        yield proxy.url


@pytest.fixture
async def command_folder(tmp_path: Path) -> Path:
    """Has the command `stockbuddy`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    command = folder / "stockbuddy"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m stockbuddy_client.cli "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    return folder


@pytest.mark.parametrize("page", [page for page in PAGES if programs(page)], ids=lambda page: page.stem)
async def test_code_of_guide_works(
    page: Path, server_url: str, shop: dict[str, str], admin: User, tmp_path: Path, command_folder: Path
) -> None:
    values = {
        "http://127.0.0.1:8000": server_url,
        "sbk_…": shop["key"],
        "correct-Horse-7": PASSWORD,
        "@stockbuddy/client": (CLIENTS / "typescript/dist/index.js").as_uri(),
    }
    environment = {
        **os.environ,
        "PATH": f"{command_folder}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(CLIENTS / "python/src"),
        "XDG_CONFIG_HOME": str(tmp_path),
    }
    output = ""
    for language, code in programs(page).items():
        file = tmp_path / f"program{SUFFIXES[language]}"
        file.write_text(filled(code, values), encoding="utf-8")
        process = await asyncio.create_subprocess_exec(
            *PROGRAMS[language], str(file), cwd=tmp_path, env=environment,
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
        output += printed.decode()
    for expected in EXPECTED[page.name]:
        assert expected.lower() in output.lower(), output


async def test_gateway_serves_the_guide_and_nothing_else(direct: httpx.AsyncClient) -> None:
    index = await direct.get("/guide")
    assert index.status_code == 200
    links = re.findall(r'href="(/guide/[\w.-]*)"', index.text)
    assert {f"/guide/{page.stem}" for page in PAGES if page.stem != "index"} < set(links)
    for link in dict.fromkeys(links):
        page = await direct.get(link)
        assert page.status_code == 200
        # It works without internet access: nothing is loaded from elsewhere.
        assert not re.search(r'(?:src|<link[^>]*href)="https?:', page.text)
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert set(re.findall(r'href="(/guide/[\w.-]*)', page.text)) <= set(links)
    for path in ("/guide/nothing", "/guide/..%2Fadr", "/guide/index", "/guide/errors/more"):
        assert (await direct.get(path)).status_code == 404
