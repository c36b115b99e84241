"""The route that commits a reservation: it may create a sale, which reservations must not depend on."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.stock.documents.sales.commit_reservation import plan_commit
from stockbuddy.stock.documents.sales.schemas import CommitReservation, CommittedReservationResponse
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import stored_response

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=ConditionalRoute)


@router.post("/{reservation_id}/commit", response_model=CommittedReservationResponse)
async def commit_reservation(
    context: PostingContextDep, reservation_id: Annotated[Id, Path()], body: CommitReservation | None = None
) -> Response:
    body = body or CommitReservation()
    return stored_response(await context.submit(lambda: plan_commit(context, reservation_id, body)))
