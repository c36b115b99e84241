"""The first session of README.md works as documented, executed with bash and curl, and with the Python client."""

import asyncio
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

from stockbuddy.chassis.testing.clients import PASSWORD, User

README = Path(__file__).parents[2] / "README.md"
DOCUMENTED_URL = "http://127.0.0.1:8000"


def first_session(language: str) -> str:
    pattern = rf"^## A first session\n.*?^```{language}\n(.*?)^```"
    found = re.search(pattern, README.read_text(), re.MULTILINE | re.DOTALL)
    assert found is not None
    return found.group(1)


def json_documents(output: str) -> Iterator[Any]:
    """The JSON documents in the output; curl prints no line breaks between them."""
    position = output.find("{")
    while position >= 0:
        document, end = json.JSONDecoder().raw_decode(output, position)
        yield document
        position = output.find("{", end)


async def test_first_session_of_readme_works_as_documented(http: httpx.AsyncClient, base_url: str) -> None:
    script = first_session("sh")
    assert DOCUMENTED_URL in script
    process = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script.replace(DOCUMENTED_URL, base_url), stdout=asyncio.subprocess.PIPE
    )
    output = (await process.communicate())[0].decode()
    assert process.returncode == 0, output
    assert "idempotent-replayed: true" in output.lower()
    user, product, sale, rejection, levels, events = json_documents(output)
    assert (user["username"], user["role"]) == ("ada", "admin")
    assert (product["sku"], sale["total"]) == ("MUG-1", "22.50")
    assert (rejection["status"], rejection["code"]) == (409, "insufficient_stock")
    assert [shortage["available"] for shortage in rejection["shortages"]] == [7]
    assert [level["on_hand"] for level in levels["items"]] == [7]
    # The last events may not be in the log yet.
    assert {event["type"].partition(".")[0] for event in events["items"]} == {"stock"}


async def test_first_session_in_six_lines_of_python(admin: User, base_url: str) -> None:
    script = first_session("python").replace(DOCUMENTED_URL, base_url).replace("correct-Horse-7", PASSWORD)
    assert len(script.split("\n\n")[1].splitlines()) == 5, "six lines with the import"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE)
    output = (await process.communicate())[0].decode()
    assert (process.returncode, output) == (0, "('CUP-1', '7')\n")
