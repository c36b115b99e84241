"""The first session of README.md works as documented, executed with bash and curl."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx

README = Path(__file__).parents[2] / "README.md"
DOCUMENTED_URL = "http://127.0.0.1:8000"


def first_session() -> str:
    found = re.search(r"^## A first session\n.*?^```sh\n(.*?)^```", README.read_text(), re.MULTILINE | re.DOTALL)
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
    script = first_session()
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
