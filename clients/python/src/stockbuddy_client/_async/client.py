"""The client: login, resources, events, and any other call by `request`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, cast

import httpx2 as httpx

from stockbuddy_client._async.events import AsyncEvents
from stockbuddy_client._async.resources import AsyncListing, AsyncResource
from stockbuddy_client._async.transport import AsyncTransport
from stockbuddy_client.credentials import Credentials
from stockbuddy_client.retries import DEFAULT_TIMEOUT_SECONDS, Retry

if TYPE_CHECKING:
    from stockbuddy_client import types as api


class AsyncClient:
    """`timeout_seconds`: of a whole call, retries included. `on_retry`: called before each retry."""

    def __init__(
        self,
        base_url: str,
        *,
        credentials: Credentials | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        on_retry: Callable[[Retry], None] | None = None,
        http: httpx.AsyncClient | None = None,
    ) -> None:
        transport = self._transport = AsyncTransport(base_url, credentials, timeout_seconds, on_retry, http)
        self.request = transport.request
        """Any call: `await client.request("PUT", "/stock-levels", body={…})`."""
        self.events = AsyncEvents(transport)
        self.products: AsyncResource[api.ProductResponse, api.ProductListItem, api.ProductCreate, api.ProductUpdate] = (
            AsyncResource(transport, "/products")
        )
        self.categories: AsyncResource[
            api.CategoryResponse, api.CategoryResponse, api.CategoryCreate, api.CategoryUpdate
        ] = AsyncResource(transport, "/categories")
        self.suppliers: AsyncResource[
            api.SupplierResponse, api.SupplierResponse, api.SupplierCreate, api.SupplierUpdate
        ] = AsyncResource(transport, "/suppliers")
        self.warehouses: AsyncResource[
            api.WarehouseResponse, api.WarehouseResponse, api.WarehouseCreate, api.WarehouseUpdate
        ] = AsyncResource(transport, "/warehouses")
        self.stock_movements: AsyncResource[api.MovementResponse, api.MovementResponse, api.MovementCreate, Any] = (
            AsyncResource(transport, "/stock-movements")
        )
        self.stock_transfers: AsyncResource[api.TransferResponse, api.TransferResponse, api.TransferCreate, Any] = (
            AsyncResource(transport, "/stock-transfers")
        )
        self.stock_counts: AsyncResource[api.StockCountResponse, api.StockCountResponse, api.StockCountCreate, Any] = (
            AsyncResource(transport, "/stock-counts")
        )
        self.reservations: AsyncResource[
            api.ReservationResponse, api.ReservationResponse, api.ReservationCreate, Any
        ] = AsyncResource(transport, "/reservations")
        self.sales: AsyncResource[api.SaleResponse, api.SaleResponse, api.SaleCreate, Any] = AsyncResource(
            transport, "/sales"
        )
        self.customers: AsyncResource[
            api.CustomerResponse, api.CustomerResponse, api.CustomerCreate, api.CustomerUpdate
        ] = AsyncResource(transport, "/customers")
        self.purchase_orders: AsyncResource[
            api.PurchaseOrderResponse, api.PurchaseOrderResponse, api.PurchaseOrderCreate, api.PurchaseOrderUpdate
        ] = AsyncResource(transport, "/purchase-orders")
        self.expenses: AsyncResource[api.ExpenseResponse, api.ExpenseResponse, api.ExpenseCreate, api.ExpenseUpdate] = (
            AsyncResource(transport, "/expenses")
        )
        self.webhooks: AsyncResource[
            api.WebhookCreateResponse, api.WebhookResponse, api.WebhookCreate, api.WebhookUpdate
        ] = AsyncResource(transport, "/webhooks")
        self.users: AsyncResource[api.UserResponse, api.UserResponse, Any, api.UserUpdate] = AsyncResource(
            transport, "/users"
        )
        self.api_keys: AsyncResource[api.ApiKeySecretResponse, api.ApiKeyResponse, api.ApiKeyCreate, Any] = (
            AsyncResource(transport, "/auth/api-keys")
        )

    def list(self, path: str, **filters: Any) -> AsyncListing[Any]:
        """Any list: `client.list("/stock-levels", low_stock=True)`."""
        return AsyncListing(self._transport, path, filters)

    async def login(self, username: str, password: str) -> api.UserResponse:
        """Replace the credentials with a session, which is renewed as long as it lasts. Raises
        errors.SecondFactorRequired for a user with a second factor: continue with `complete_login`."""
        return await self._log_in("/auth/login", {"username": username, "password": password})

    async def complete_login(self, challenge: str, code: str) -> api.UserResponse:
        """The second step. `challenge`: that of the error, for five minutes; `code`: of the authenticator app, or a
        recovery code. Raises errors.InvalidSecondFactor, after which another code may be tried."""
        return await self._log_in("/auth/login/second-factor", {"challenge": challenge, "code": code})

    async def _log_in(self, path: str, body: dict[str, str]) -> api.UserResponse:
        tokens = await self._transport.request("POST", path, body=body, authenticated=False)
        self._transport.authenticator.set_tokens(tokens)
        return cast("api.UserResponse", tokens["user"])

    async def logout(self) -> None:
        """End the session."""
        await self._transport.request("POST", "/auth/logout")
        self._transport.authenticator.forget()

    @property
    def credentials(self) -> Credentials | None:
        """The current ones; a `Session` may be stored and used again."""
        return self._transport.authenticator.credentials

    async def aclose(self) -> None:
        await self._transport.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()
