"""Calls the examples of the OpenAPI document in order, and records their responses.

`python -m tests.e2e.openapi_examples URL` calls a system without data (`make run` in an empty directory) and writes the
responses into the gateway's examples.json. The requests there are written by hand. `records` names fields of a response
(`recovery_codes.0`), and `uses` puts them into the bodies of later requests in place of what the document shows.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx2 as httpx
import pyotp

from stockbuddy.gateway.openapi.examples import EXAMPLES, Example, load_examples

TIMEOUT_SECONDS = 60
MAX_ITEMS = 2
"""Of a list in a recorded response."""
_SECRETS = {
    "access_token": "eyJhbGciOiJFZERTQSJ9.…",
    "refresh_token": "Vn3hQ0…",
    "challenge": "hD5eLw…",
    "uri": "otpauth://totp/Corner%20Shop:ada?secret=…&issuer=Corner%20Shop",
    **dict.fromkeys(("csrf_token", "key", "secret", "ticket", "token", "x"), "…"),
}


async def call_examples(
    http: httpx.AsyncClient, examples: list[Example]
) -> AsyncIterator[tuple[Example, httpx.Response]]:
    """Call all examples in order. `http`: a client of a system without data."""
    known: dict[str, str] = {}
    for example in examples:
        response = await _call(http, example, known)
        yield example, response
        for name, path in example.get("records", {}).items():
            known[name] = _find(_json(response), path)


async def _call(http: httpx.AsyncClient, example: Example, known: dict[str, str]) -> httpx.Response:
    method, _, path = example["call"].partition(" ")
    body = example.get("body")
    if used := example.get("uses"):
        body = {**example["body"], **{field: _value(name, known) for field, name in used.items()}}
    credentials = {"Authorization": f"Bearer {known['access_token']}"} if "access_token" in known else {}
    content: dict[str, Any] = {"data": body} if example.get("is_form") else {"json": body}
    return await http.request(
        method,
        path,
        params=example.get("query"),
        headers={**example.get("headers", {}), **credentials},
        **(content if body is not None else {}),
    )


def _value(name: str, known: dict[str, str]) -> str:
    """A recorded value. `totp_code`: what an authenticator app with the recorded secret shows now."""
    return pyotp.TOTP(known["totp_secret"]).now() if name == "totp_code" else known[name]


def _find(content: Any, path: str) -> str:
    """`items.0.id`: a field, or an item of a list, by its place."""
    for step in path.split("."):
        content = content[int(step) if isinstance(content, list) else step]
    return str(content)


def recorded(response: httpx.Response) -> Any:
    """The response's JSON as an example: without secrets, and with short lists. None for other contents."""
    return _shorten(_json(response))


def _json(response: httpx.Response) -> Any:
    is_json = "json" in response.headers.get("content-type", "") and response.content
    return response.json() if is_json else None


def _shorten(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _SECRETS[key] if key in _SECRETS and isinstance(item, str) else _shorten(item)
            for key, item in value.items()
        }
    return [_shorten(item) for item in value[:MAX_ITEMS]] if isinstance(value, list) else value


async def record(url: str) -> None:
    examples, failures = load_examples(), list[str]()
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT_SECONDS) as http:
        async for example, response in call_examples(http, examples):
            if response.status_code >= 400 and response.status_code != example["status"]:
                failures.append(f"{example['call']}: {response.status_code} {response.text}")
            example["status"], example["response"] = response.status_code, recorded(response)
    if failures:
        raise SystemExit("\n".join(failures))
    EXAMPLES.write_text(json.dumps(examples, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(record(sys.argv[1]))
