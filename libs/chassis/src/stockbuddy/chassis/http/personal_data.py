"""Exports of what a service stores about a person. The service that owns the person answers the public call, and the
gateway adds the sections of the others, which answer at an internal path, to the same admin."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel
from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.chassis.runtime import clock
from stockbuddy.contracts.internal import PERSONAL_DATA_PATH
from stockbuddy.contracts.personal_data import MAX_SECTION_ROWS

Queries = Mapping[str, TextClause]
"""Section → a query from `section_query`."""


class PersonalDataResponse(BaseModel):
    """What is stored about a person."""

    person: str
    exported_at: datetime
    sections: dict[str, list[dict[str, Any]]]
    truncated: list[str]


def section_query(select: str) -> TextClause:
    """`select`: a query whose parameters are `:id` and, if it needs it, `:person`; the newest rows first."""
    return text(f"SELECT to_jsonb(section) FROM ({select} LIMIT {MAX_SECTION_ROWS + 1}) section")


JOBS_OF_USER = section_query("""
    SELECT id, path, query, client_ip, created_at FROM job WHERE user_id = :id ORDER BY id DESC""")
"""Of a service that has jobs."""


async def export_sections(
    session: AsyncSession, person: str, queries: Queries, **values: object
) -> PersonalDataResponse:
    """The rows of each section, at most MAX_SECTION_ROWS, without empty sections."""
    parameters = {"id": int(person.partition("/")[2]), "person": person, **values}
    sections: dict[str, list[dict[str, Any]]] = {}
    for name, query in queries.items():
        bound = {key: parameters[key] for key in query.compile().params}
        sections[name] = list(await session.scalars(query, bound))
    return to_response(person, sections)


def to_response(person: str, sections: Mapping[str, Sequence[dict[str, Any]]]) -> PersonalDataResponse:
    return PersonalDataResponse(
        person=person,
        exported_at=clock.now(),
        sections={name: list(rows[:MAX_SECTION_ROWS]) for name, rows in sections.items() if rows},
        truncated=[name for name, rows in sections.items() if len(rows) > MAX_SECTION_ROWS],
    )


@dataclass(frozen=True, slots=True)
class PersonExport:
    """What a service stores about persons of one kind, and who may export it."""

    kind: str
    permission: Permission
    queries: Queries


def personal_data_router(*exports: PersonExport) -> APIRouter:
    """The internal routes of a service that owns none of these persons."""
    router = APIRouter(include_in_schema=False, route_class=StrictQueryRoute)
    for export in exports:
        _add_route(router, export)
    return router


def _add_route(router: APIRouter, export: PersonExport) -> None:
    async def export_personal_data(session: ReadSession, person_id: Annotated[Id, Path()]) -> PersonalDataResponse:
        """What this service stores about the person."""
        return await export_sections(session, f"{export.kind}/{person_id}", export.queries)

    path = PERSONAL_DATA_PATH.replace("{kind}", export.kind)
    permission = [requires(export.permission)]
    router.add_api_route(path, export_personal_data, name=f"export_{export.kind}", dependencies=permission)
