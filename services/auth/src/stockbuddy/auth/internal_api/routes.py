"""The gateway's reports over HTTP, for it alone."""

from fastapi import APIRouter

from stockbuddy.auth.internal_api import activity
from stockbuddy.auth.internal_api.schemas import ReportDenials, ReportUses
from stockbuddy.chassis.http.sessions import Session
from stockbuddy.chassis.http.authentication import PUBLIC

router = APIRouter(prefix="/internal", include_in_schema=False)


@router.post("/denials", status_code=204, dependencies=[PUBLIC])
async def record_denials(body: ReportDenials, session: Session) -> None:
    """Requests that the gateway itself has answered with 403."""
    activity.record_denials(session, body.denials)


@router.post("/uses", status_code=204, dependencies=[PUBLIC])
async def note_uses(body: ReportUses, session: Session) -> None:
    """When sessions and API keys were used last."""
    await activity.note_uses(session, body.uses)
