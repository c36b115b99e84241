"""Problems as bytes, for requests that never reach the gateway's app."""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from stockbuddy.chassis.http.errors import PROBLEM_JSON, Problem, problem_response
from stockbuddy.chassis.runtime.event_context import EventContext, event_context
from stockbuddy.gateway.headers import new_request_id

_HEAD = (
    b"content-type: %b\r\ncontent-length: %d\r\nx-request-id: %b\r\nx-content-type-options: nosniff\r\n"
    b"cache-control: no-store\r\n%bconnection: close\r\n\r\n"
)


def encode_problem(problem: Problem) -> bytes:
    """A whole response, after which the connection is closed."""
    request_id = new_request_id()
    with event_context(EventContext(request_id=request_id.decode())):
        body = bytes(problem_response(problem).body)
    own_headers = "".join(f"{name}: {value}\r\n" for name, value in problem.headers.items() if name != "Connection")
    return (
        STATUS_LINE[problem.status]
        + _HEAD % (PROBLEM_JSON.encode(), len(body), request_id, own_headers.encode())
        + body
    )
