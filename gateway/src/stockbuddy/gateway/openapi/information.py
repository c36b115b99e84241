"""What the OpenAPI document says about the API as a whole."""

from typing import Any

API_VERSION = "1.0.0"
"""Of the API, not of this program: grows with what clients can rely on."""
DESCRIPTION = """One API for web, mobile and POS clients. Paths begin with `/api/v1`, which descriptions leave out.

**Start** with `POST /auth/login`, send its `access_token` as `Authorization: Bearer`, create a product, post a
movement or sell it. Machines send an API key as `X-API-Key`.

**Retries.** Send an `Idempotency-Key` with every POST: repeating the request then has no second effect, however
often and however concurrently it is sent.

**Errors** are RFC 9457 problems. Branch on `code`; each operation lists the codes that it can return. A rejected
request changed nothing. Report the `request_id` of a 500.

**Numbers** are exact. Money is a decimal string in the company's currency with two to four decimal places
(`"19.99"`); requests may use numbers, too. Quantities are JSON numbers with at most three decimal places, in the
product's unit of measure.

**Time** is RFC 3339 with an offset, returned in UTC. Filters `from` and `to` are half-open, and take moments or
days in the company's time zone.

**Lists** return pages: follow `next_cursor` for all items. **Conditional requests**: every GET has an `ETag`;
changes accept `If-Match`. PUT and PATCH take partial bodies: an absent field keeps its value, null clears a
nullable one.

Unknown fields and unknown query parameters are rejected with 422. New response fields may be added at any time;
ignore the ones you do not know."""

INFORMATION: dict[str, Any] = {
    "title": "Stockbuddy",
    "version": API_VERSION,
    "summary": "Inventory for shops and warehouses",
    "description": DESCRIPTION,
    "contact": {"name": "The operator of this server"},
    "license": {"name": "MIT", "identifier": "MIT"},
}
SERVERS = [{"url": "http://127.0.0.1:8000", "description": "The system that `make run` starts."}]
"""Of the committed document; the served one has the server that serves it."""
