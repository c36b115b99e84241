"""Runs the steps of conformance cases with the Python client: one JSON object a line in, one out.

The argument is `sync` or `async`. `driver.mjs` does the same with the TypeScript client.
"""

import asyncio
import inspect
import json
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import stockbuddy_client as sb
from stockbuddy_client import ApiError, StockbuddyError, etag_of, webhooks

Step = dict[str, Any]


class Driver:
    """`values`: results of earlier steps, for `$name.field`."""

    def __init__(self, *, is_async: bool) -> None:
        self.client: Any = None
        self.is_async = is_async
        self.values: dict[str, Any] = {}
        self.retries: list[float] = []
        self.challenge: str | None = None

    async def run(self, step: Step) -> dict[str, Any]:
        self.retries.clear()
        try:
            value = await self.perform(self.resolved(step))
        except StockbuddyError as error:
            self.challenge = getattr(error, "challenge", self.challenge)
            return {"error": describe(error), "retries": len(self.retries), "delays": self.retries[:]}
        if "as" in step:
            self.values[step["as"]] = value
        return {"value": value, "etag": etag_of(value), "retries": len(self.retries), "delays": self.retries[:]}

    def resolved(self, part: Any) -> Any:
        if isinstance(part, dict):
            return {name: self.resolved(value) for name, value in part.items()}
        if isinstance(part, list):
            return [self.resolved(value) for value in part]
        if isinstance(part, str) and part.startswith("$"):
            name, *path = part[1:].split(".")
            value = self.values[name]
            for field in path:
                value = value[int(field)] if field.isdecimal() else value[field]
            return value
        return part

    async def perform(self, step: Step) -> Any:
        result = getattr(self, step["op"])(step)
        return await result if inspect.isawaitable(result) else result

    def connect(self, step: Step) -> None:
        kinds = {"api_key": sb.ApiKey, "client": sb.ClientCredentials, "session": sb.Session}
        (given,) = step.get("credentials", {}).items() or [(None, None)]
        credentials = kinds[given[0]](*given[1]) if given[0] else None
        kind = sb.AsyncClient if self.is_async else sb.Client
        self.client = kind(
            step["url"],
            credentials=credentials,
            timeout_seconds=step.get("timeout", 30),
            on_retry=lambda retry: self.retries.append(retry.delay_seconds),
        )

    def on(self, step: Step) -> Any:
        return getattr(self.client, step["resource"])

    def login(self, step: Step) -> Any:
        return self.client.login(step["username"], step["password"])

    def complete_login(self, step: Step) -> Any:
        return self.client.complete_login(self.challenge, step["code"])

    def logout(self, _: Step) -> Any:
        return self.client.logout()

    def create(self, step: Step) -> Any:
        return self.on(step).create(step["body"], idempotency_key=step.get("key"))

    def get(self, step: Step) -> Any:
        return self.on(step).get(step["id"])

    def update(self, step: Step) -> Any:
        return self.on(step).update(step["target"], step["changes"])

    def delete(self, step: Step) -> Any:
        return self.on(step).delete(step["target"])

    def action(self, step: Step) -> Any:
        return self.on(step).action(step["target"], step["name"], step.get("body"))

    def request(self, step: Step) -> Any:
        return self.client.request(step["method"], step["path"], body=step.get("body"), params=step.get("query"))

    async def items(self, step: Step) -> Any:
        return await self.collect(self.listing(step), step.get("count"))

    async def pages(self, step: Step) -> Any:
        return [len(page["items"]) for page in await self.collect(self.listing(step).pages(), None)]

    def total(self, step: Step) -> Any:
        return self.listing(step).total()

    def listing(self, step: Step) -> Any:
        filters = step.get("filters", {})
        return self.client.list(step["path"], **filters) if "path" in step else self.on(step).list(**filters)

    async def events(self, step: Step) -> Any:
        stream = self.client.events.stream(after=step.get("after"), types=step.get("types", ()))
        events = await self.collect(stream, step["count"])
        return {"types": [event["type"] for event in events], "last": events[-1]["data"], "cursor": stream.cursor}

    def sign(self, step: Step) -> Any:
        at = datetime.now(UTC) - timedelta(seconds=step.get("seconds_ago", 0))
        return webhooks.sign(step["id"], step["body"].encode(), step["secret"], at=at)

    def verify(self, step: Step) -> Any:
        return webhooks.verify(step["headers"], step["body"].encode(), step["secrets"])

    async def together(self, step: Step) -> Any:
        """The same step several times at once."""
        steps = [step["step"]] * step["times"]
        if self.is_async:
            return await asyncio.gather(*map(self.perform, steps))
        with ThreadPoolExecutor(len(steps)) as pool:
            return list(pool.map(lambda one: getattr(self, one["op"])(one), steps))

    @staticmethod
    async def collect(iterable: Any, count: int | None) -> list[Any]:
        found: list[Any] = []
        if hasattr(iterable, "__aiter__"):
            async for one in iterable:
                found.append(one)
                if len(found) == count:
                    break
        else:
            for one in iterable:
                found.append(one)
                if len(found) == count:
                    break
        return found


def describe(error: StockbuddyError) -> dict[str, Any]:
    described: dict[str, Any] = {"class": type(error).__name__, "parents": [c.__name__ for c in type(error).__mro__]}
    if isinstance(error, ApiError):
        described |= {"status": error.status, "code": error.code, "request_id": error.request_id}
        described |= {name: value for name, value in vars(error).items() if name in step_members(error)}
    return described


def step_members(error: ApiError) -> set[str]:
    return {"shortages", "errors", "current", "head", "products", "state", "allowed"} & vars(error).keys()


def encode(value: Any) -> Any:
    """Exact numbers as strings; a float would be visible."""
    if isinstance(value, Decimal):
        return format(value, "f")
    raise TypeError(f"{value!r}")


async def main() -> None:
    driver = Driver(is_async=sys.argv[1] == "async")
    while line := await asyncio.to_thread(sys.stdin.readline):
        step = json.loads(line)
        if step["op"] == "reset":
            driver = Driver(is_async=driver.is_async)
            result: dict[str, Any] = {}
        else:
            result = await driver.run(step)
        print(json.dumps(mark_floats(result), default=encode), flush=True)


def mark_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: one if name == "delays" else mark_floats(one) for name, one in value.items()}
    if isinstance(value, list):
        return [mark_floats(one) for one in value]
    return {"float": value} if isinstance(value, float) else value


if __name__ == "__main__":
    asyncio.run(main())
