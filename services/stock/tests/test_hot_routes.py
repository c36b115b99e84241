"""Calls that tills make all day are bound without FastAPI's dependency solver."""

import pytest

from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.stock.app import SERVICE

HOT_PATHS = (
    "/api/v1/stock-movements",
    "/api/v1/stock-movements/batch",
    "/api/v1/sales",
    "/api/v1/sales/batch",
    "/api/v1/sales/{sale_id}/returns",
    "/api/v1/stock-transfers",
    "/api/v1/reservations",
    "/api/v1/purchase-orders/{order_id}/receive",
    "/api/v1/stock-counts/{count_id}/approve",
)


@pytest.mark.parametrize("path", HOT_PATHS)
def test_posting_route_needs_no_solver(path: str) -> None:
    routes = [route for router in SERVICE.routers for route in router.routes]
    found = [one for one in routes if isinstance(one, LightweightRoute) and (one.path, one.methods) == (path, {"POST"})]
    assert [route.is_solverless for route in found] == [True]
