"""The Stockbuddy API: `Client`, or `AsyncClient` with the same methods to await."""

from stockbuddy_client import errors
from stockbuddy_client._async.client import AsyncClient
from stockbuddy_client._sync.client import Client
from stockbuddy_client.credentials import ApiKey, ClientCredentials, Credentials, Session
from stockbuddy_client.exact import etag_of
from stockbuddy_client.problems import ApiError, ConnectionFailed, DeadlineExceeded, InvalidResponse, StockbuddyError
from stockbuddy_client.retries import Retry

__all__ = [
    "ApiError", "ApiKey", "AsyncClient", "Client", "ClientCredentials", "ConnectionFailed", "Credentials",
    "DeadlineExceeded", "InvalidResponse", "Retry", "Session", "StockbuddyError", "errors", "etag_of",
]  # fmt: skip
