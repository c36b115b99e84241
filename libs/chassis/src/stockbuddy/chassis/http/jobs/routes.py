"""Routes of jobs, the same in every service that has them; a caller sees only the jobs of its own credential."""

from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import StreamingResponse
from sqlalchemy import Row

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller
from stockbuddy.chassis.http.errors import Forbidden, raises
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.chassis.http.jobs import queries
from stockbuddy.chassis.http.jobs.model import JobFailed, JobNotFinished, UnknownJob
from stockbuddy.chassis.http.jobs.schemas import JobResponse, to_response
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.resources import get_resources
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.chassis.postgres.database import Database

ANY_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The response to the request of the job.",
        "content": {
            media_type: {"schema": {"type": "string", "format": "binary"}}
            for media_type in (
                "application/json",
                "text/csv",
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            )
        },
    }
}


def job_router(service: str) -> APIRouter:
    """The routes below `/jobs/{service}`, with the service's name in those of the operations."""
    router = APIRouter(prefix=f"/api/v1/jobs/{service}", tags=["jobs"], route_class=ConditionalRoute)
    router.add_api_route("", list_jobs, name=f"list_{service}_jobs", methods=["GET"])
    router.add_api_route("/{job_id}", get_job, name=f"get_{service}_job", methods=["GET"])
    router.add_api_route(
        "/{job_id}/result",
        get_job_result,
        name=f"get_{service}_job_result",
        methods=["GET"],
        response_class=StreamingResponse,
        responses=ANY_FILE,
    )
    router.add_api_route("/{job_id}", delete_job, name=f"delete_{service}_job", methods=["DELETE"], status_code=204)
    return router


async def list_jobs(request: Request, caller: Caller, query: PageParameters) -> Page[JobResponse]:
    """List jobs.

    Those that this user, API key or app has requested of this service, newest first, until they expire.
    """
    database = get_resources(request).database
    async with database.reading() as session:
        page = await queries.list_jobs(session, query, caller.credential)
    return page.to_page(query, lambda row: to_response(database.schema, row))


@raises(UnknownJob)
async def get_job(request: Request, caller: Caller, job_id: Id) -> JobResponse:
    """Read the progress of a job.

    Poll it until `state` is `done` or `failed`, or wait for the event `<service>.job.finished`.
    """
    return to_response(get_resources(request).database.schema, await _read_job(request, caller, job_id))


@raises(UnknownJob, JobNotFinished, JobFailed, Forbidden)
async def get_job_result(request: Request, caller: Caller, job_id: Id) -> Response:
    """Read the result of a job.

    The response to the request, as it would have been sent at once; kept for 24 hours. A caller who has lost a
    permission since the request gets 403, because the result may contain what they may no longer see.
    """
    row = await _read_job(request, caller, job_id)
    if row.state == "failed":
        raise JobFailed()
    if row.state != "done":
        raise JobNotFinished()
    _require_same_rights(caller, queries.caller_of(row))
    return stream_result(get_resources(request).database, row)


def stream_result(database: Database, row: Row[Any]) -> Response:
    """The result of a job that is done; the caller's rights were checked."""
    parts = queries.read_parts(database, row.id, row.runner)
    return StreamingResponse(parts, headers={**row.headers, "Cache-Control": "private, no-store"})


async def _read_job(request: Request, caller: Principal, job_id: int) -> Row[Any]:
    """From the primary: a read replica may lag behind the worker. Raises UnknownJob."""
    async with get_resources(request).database.reading() as session:
        return await queries.get_job(session, job_id, caller.credential)


def _require_same_rights(caller: Principal, requested: Principal) -> None:
    """Raises Forbidden if the caller may now do less than at the request."""
    may_see_all = caller.warehouse_ids is None
    is_restricted = not may_see_all and (
        requested.warehouse_ids is None or not requested.warehouse_ids <= (caller.warehouse_ids or frozenset())
    )
    if is_restricted or not requested.permissions <= caller.permissions:
        raise Forbidden("The caller's permissions have been reduced since the request: request it again.")


@raises(UnknownJob)
async def delete_job(session: Session, caller: Caller, job_id: Id) -> None:
    """Cancel or delete a job.

    A job that is queued or running is cancelled; the result of one that is done is deleted.
    """
    await queries.delete_job(session, job_id, caller.credential)
