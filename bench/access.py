"""Cost of hiding fields: the same requests by an admin and by a user who lacks `cost.read`, measured alternately."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, cycle
from uuid import uuid4

import uvloop

from bench.figures import Figure, at_least, report
from bench.load import Load, drive, get, median_of, post
from bench.system import ACCOUNT, System, call, process, register_admin, wait_until_ready

ROUNDS = 7
SECONDS = 1.0
CONNECTIONS = 32
PRODUCTS = 200
TARGET_RATIO = at_least(0.97)


def create_limited_user(system: System) -> str:
    """An access token of a user with all permissions but `cost.read`."""
    port, token = system.gateway.port, system.token
    permissions = [item["name"] for item in system.get("/api/v1/permissions")["items"] if item["name"] != "cost.read"]
    call(port, "/api/v1/roles", body={"name": "limited", "permissions": permissions}, token=token)
    account = ACCOUNT | {"username": "limited", "email": "limited@example.com"}
    user = json.loads(call(port, "/api/v1/auth/register", body=account))
    call(port, f"/api/v1/users/{user['id']}", body={"role": "limited"}, token=token, method="PATCH")
    credentials = {name: account[name] for name in ("username", "password")}
    limited: str = json.loads(call(port, "/api/v1/auth/login", body=credentials))["access_token"]
    return limited


def create_products(system: System) -> list[int]:
    def create(number: int) -> int:
        body = {"name": f"Lamp {number}", "sku": f"LAMP-{number}", "unit_price": "19.99", "cost_price": "9.99"}
        return int(json.loads(call(system.gateway.port, "/api/v1/products", body=body, token=system.token))["id"])

    return [create(number) for number in range(PRODUCTS)]


def movements(product_ids: list[int], token: str) -> Iterator[bytes]:
    products = cycle(product_ids)
    for _ in count():
        body = {"product_id": next(products), "movement_type": "purchase", "quantity": 1, "unit_cost": "9.99"}
        yield post("/api/v1/stock-movements", json.dumps(body), token, uuid4().hex)


async def measure(system: System, limited: str, product_ids: list[int]) -> None:
    tokens = {"admin": system.token, "limited": limited}
    page = "/api/v1/products?page_size=20&sort_by=name_asc"
    kinds: dict[str, dict[str, Iterator[bytes]]] = {
        "a list of 20 products": {name: cycle([get(page, token)]) for name, token in tokens.items()},
        "a movement": {name: movements(product_ids, token) for name, token in tokens.items()},
    }
    for kind, requests in kinds.items():
        loads: dict[str, list[Load]] = {name: [] for name in tokens}
        for _ in range(ROUNDS):
            for name, found in loads.items():
                load = await drive(system.gateway.port, requests[name], connections=CONNECTIONS, seconds=SECONDS)
                found.append(load)
        admin, hidden = median_of(loads["admin"]), median_of(loads["limited"])
        detail = f"without the permission {hidden}; with it {admin}"
        report(
            Figure(
                "access", f"{kind} with hidden fields", hidden.rate / admin.rate, "of all fields", TARGET_RATIO, detail
            )
        )


@contextmanager
def embedded_system() -> Iterator[System]:
    """The whole system in one process, so that stock knows the products of the catalogue."""
    with tempfile.TemporaryDirectory(prefix="stockbuddy-bench-") as folder:
        environment = {"ENV": "development", "STOCKBUDDY_DATA": folder, "LOG_LEVEL": "error"}
        environment["RATE_LIMIT_CALLER"] = "1000000/second"
        with process("-m", "stockbuddy.embedded", environment=environment) as started:
            wait_until_ready(started.port)
            yield System("", {"gateway": started}, register_admin(started))


def main() -> None:
    with embedded_system() as system:
        limited, product_ids = create_limited_user(system), create_products(system)
        uvloop.run(measure(system, limited, product_ids))


if __name__ == "__main__":
    main()
