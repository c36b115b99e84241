"""The client: login, resources, events, and any other call by `request`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self, cast

import httpx2 as httpx

from stockbuddy_client._sync.events import Events
from stockbuddy_client._sync.resources import Listing, Resource
from stockbuddy_client._sync.transport import Transport
from stockbuddy_client.credentials import Credentials
from stockbuddy_client.retries import DEFAULT_TIMEOUT_SECONDS, Retry

if TYPE_CHECKING:
    from stockbuddy_client import types as api


class Client:
    """`timeout_seconds`: of a whole call, retries included. `on_retry`: called before each retry."""

    def __init__(
        self,
        base_url: str,
        *,
        credentials: Credentials | None = None,
        timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS,
        on_retry: Callable[[Retry], None] | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        transport = self._transport = Transport(base_url, credentials, timeout_seconds, on_retry, http)
        self.request = transport.request
        """Any call: `await client.request("PUT", "/stock-levels", body={…})`."""
        self.events = Events(transport)
        self.products: Resource[api.ProductResponse, api.ProductListItem, api.ProductCreate, api.ProductUpdate] = (
            Resource(transport, "/products")
        )
        self.categories: Resource[
            api.CategoryResponse, api.CategoryResponse, api.CategoryCreate, api.CategoryUpdate
        ] = Resource(transport, "/categories")
        self.suppliers: Resource[api.SupplierResponse, api.SupplierResponse, api.SupplierCreate, api.SupplierUpdate] = (
            Resource(transport, "/suppliers")
        )
        self.warehouses: Resource[
            api.WarehouseResponse, api.WarehouseResponse, api.WarehouseCreate, api.WarehouseUpdate
        ] = Resource(transport, "/warehouses")
        self.stock_movements: Resource[api.MovementResponse, api.MovementResponse, api.MovementCreate, Any] = Resource(
            transport, "/stock-movements"
        )
        self.stock_transfers: Resource[api.TransferResponse, api.TransferResponse, api.TransferCreate, Any] = Resource(
            transport, "/stock-transfers"
        )
        self.stock_counts: Resource[api.StockCountResponse, api.StockCountResponse, api.StockCountCreate, Any] = (
            Resource(transport, "/stock-counts")
        )
        self.reservations: Resource[api.ReservationResponse, api.ReservationResponse, api.ReservationCreate, Any] = (
            Resource(transport, "/reservations")
        )
        self.sales: Resource[api.SaleResponse, api.SaleResponse, api.SaleCreate, Any] = Resource(transport, "/sales")
        self.customers: Resource[api.CustomerResponse, api.CustomerResponse, api.CustomerCreate, api.CustomerUpdate] = (
            Resource(transport, "/customers")
        )
        self.purchase_orders: Resource[
            api.PurchaseOrderResponse, api.PurchaseOrderResponse, api.PurchaseOrderCreate, api.PurchaseOrderUpdate
        ] = Resource(transport, "/purchase-orders")
        self.expenses: Resource[api.ExpenseResponse, api.ExpenseResponse, api.ExpenseCreate, api.ExpenseUpdate] = (
            Resource(transport, "/expenses")
        )
        self.webhooks: Resource[
            api.WebhookCreateResponse, api.WebhookResponse, api.WebhookCreate, api.WebhookUpdate
        ] = Resource(transport, "/webhooks")
        self.users: Resource[api.UserResponse, api.UserResponse, Any, api.UserUpdate] = Resource(transport, "/users")
        self.api_keys: Resource[api.ApiKeySecretResponse, api.ApiKeyResponse, api.ApiKeyCreate, Any] = Resource(
            transport, "/auth/api-keys"
        )

    def list(self, path: str, **filters: Any) -> Listing[Any]:
        """Any list: `client.list("/stock-levels", low_stock=True)`."""
        return Listing(self._transport, path, filters)

    def login(self, username: str, password: str) -> api.UserResponse:
        """Replace the credentials with a session, which is renewed as long as it lasts. Raises
        errors.SecondFactorRequired for a user with a second factor: continue with `complete_login`."""
        return self._log_in("/auth/login", {"username": username, "password": password})

    def complete_login(self, challenge: str, code: str) -> api.UserResponse:
        """The second step. `challenge`: that of the error, for five minutes; `code`: of the authenticator app, or a
        recovery code. Raises errors.InvalidSecondFactor, after which another code may be tried."""
        return self._log_in("/auth/login/second-factor", {"challenge": challenge, "code": code})

    def _log_in(self, path: str, body: dict[str, str]) -> api.UserResponse:
        tokens = self._transport.request("POST", path, body=body, authenticated=False)
        self._transport.authenticator.set_tokens(tokens)
        return cast("api.UserResponse", tokens["user"])

    def logout(self) -> None:
        """End the session."""
        self._transport.request("POST", "/auth/logout")
        self._transport.authenticator.forget()

    @property
    def credentials(self) -> Credentials | None:
        """The current ones; a `Session` may be stored and used again."""
        return self._transport.authenticator.credentials

    def close(self) -> None:
        self._transport.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
