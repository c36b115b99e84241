"""The examples of the OpenAPI document, called in their order on a system without data."""

import json
from typing import Any

import httpx2 as httpx
import pytest

from stockbuddy.embedded.openapi_document import DOCUMENT
from stockbuddy.gateway.openapi.examples import load_examples
from tests.e2e.openapi_examples import call_examples, recorded

WITHOUT_EXAMPLE = {
    **dict.fromkeys(("confirm_email", "reset_password"), "takes a token from an e-mail"),
    **dict.fromkeys(("retry_email", "retry_notification_email"), "takes an e-mail that failed"),
    **dict.fromkeys(("replace_image", "get_image", "delete_image"), "takes a file"),
    **dict.fromkeys(("create_import", "import_products", "get_import", "get_import_errors"), "takes a file"),
    **dict.fromkeys(("create_passkey", "login_with_passkey"), "takes the response of an authenticator"),
    **dict.fromkeys(("stream_events", "stream_events_over_websocket"), "streams"),
    **dict.fromkeys(
        (
            "request_webhook_test",
            "resend_webhook_events",
            "get_webhook_delivery",
            "redeliver_webhook_delivery",
        ),
        "sends requests to other systems",
    ),
    **dict.fromkeys(("get_setup", "get_company"), "shows a page what it needs to begin"),
    **dict.fromkeys(
        ("request_authorization", "confirm_authorization", "get_device_page", "confirm_device"), "is a page"
    ),
    "export_audit_logs": "streams",
    **dict.fromkeys(("get_stock_job_result", "get_catalog_job_result"), "takes a job that has finished"),
    "get_report_schedule_result": "takes a run that has finished",
    "delete_consent": "takes a consent, which a user gives on a page",
    "delete_session": "takes an id that is random",
    "delete_browser_session": "takes a cookie",
}


def shape(value: Any) -> Any:
    """The structure of a JSON value: its fields and their types; null and an empty list may be anything."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else type(value).__name__


def differs(expected: Any, found: Any) -> bool:
    if isinstance(expected, dict) and isinstance(found, dict):
        return expected.keys() != found.keys() or any(differs(expected[key], found[key]) for key in expected)
    if isinstance(expected, list) and isinstance(found, list):
        return bool(expected and found) and differs(expected[0], found[0])
    return expected != found and "NoneType" not in (expected, found)


@pytest.mark.timeout(600)
async def test_examples_work_as_written_and_answer_as_documented(http: httpx.AsyncClient) -> None:
    wrong = []
    async for example, response in call_examples(http, load_examples()):
        if response.status_code != example["status"]:
            wrong.append(f"{example['call']}: {response.status_code} {response.text}")
        elif differs(shape(example["response"]), shape(recorded(response))):
            wrong.append(f"{example['call']}: {response.text}")
        if "Retry-After" not in response.headers:
            continue
        wrong.append(f"{example['call']} is limited")
    assert not wrong


def test_every_operation_has_an_example_or_a_reason() -> None:
    document = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    missing = set()
    for item in document["paths"].values():
        for operation in item.values():
            contents = [operation.get("requestBody", {})]
            contents += [answer for status, answer in operation["responses"].items() if status < "300"]
            examples = [
                content for one in contents for content in one.get("content", {}).values() if "example" in content
            ]
            takes_or_returns_json = any("application/json" in one.get("content", {}) for one in contents)
            if takes_or_returns_json and not examples:
                missing.add(operation["operationId"])
    assert missing <= set(WITHOUT_EXAMPLE)
