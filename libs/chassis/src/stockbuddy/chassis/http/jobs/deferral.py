"""Lets a route answer later: `Prefer: respond-async` (RFC 7240 §4.1) gets 202 and a job instead of the response."""

import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import Header, Request, Response

from stockbuddy.chassis.http.authentication import authenticate
from stockbuddy.chassis.http.errors import declared_problems, raises
from stockbuddy.chassis.http.jobs import queries
from stockbuddy.chassis.http.jobs.model import TooManyJobs
from stockbuddy.chassis.http.jobs.schemas import JobResponse, to_response
from stockbuddy.chassis.http.openapi.headers import header_references
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.runtime.event_context import current_event_context

RESPOND_ASYNC = "respond-async"
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "model": JobResponse,
        "description": "Accepted: the job produces the result in the background.",
        "headers": header_references(["Location", "Preference-Applied"]),
    }
}
"""For the `responses` of a deferrable route."""

_REQUEST = inspect.Parameter("deferred_request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
_PREFER = inspect.Parameter(
    "prefer", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, Header(alias="Prefer")]
)


def deferrable(endpoint: Callable[..., Awaitable[Response]]) -> Callable[..., Awaitable[Response]]:
    """Decorate the endpoint of a GET that returns a response. The parameters are validated before the job is made."""
    signature = inspect.signature(endpoint, eval_str=True)
    parameters = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in signature.parameters.values()]
    own_request = next((one.name for one in parameters if one.annotation is Request), None)

    @raises(*declared_problems(endpoint), TooManyJobs)
    @functools.wraps(endpoint)
    async def respond_or_defer(prefer: str | None = None, **arguments: Any) -> Response:
        request: Request = arguments[own_request] if own_request else arguments.pop(_REQUEST.name)
        if prefer is not None and _prefers_async(prefer):
            return await _create_job(request)
        return await endpoint(**arguments)

    added = [_PREFER] if own_request else [_REQUEST, _PREFER]
    vars(respond_or_defer)["__signature__"] = signature.replace(parameters=[*parameters, *added])
    return respond_or_defer


def _prefers_async(header: str) -> bool:
    """Preferences are separated by commas; each may have a value and parameters."""
    names = (preference.partition(";")[0].partition("=")[0] for preference in header.split(","))
    return any(name.strip().lower() == RESPOND_ASYNC for name in names)


async def _create_job(request: Request) -> Response:
    caller = await authenticate(request)
    database = get_resources(request).database
    path, query = request.scope["path"], request.scope["query_string"].decode("latin-1")
    async with database.transaction() as session:
        await queries.require_room(session, caller)
        job_id = await queries.insert_job(session, path, query, caller, current_event_context())
        job = to_response(database.schema, await queries.get_job(session, job_id, caller.credential))
    headers = {"Location": job.url, "Preference-Applied": RESPOND_ASYNC, "Cache-Control": "no-store"}
    return Response(job.model_dump_json(), 202, headers, "application/json")
