"""What becomes of reservations, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.stock.documents.sales.schemas import CommitReservation, CommittedReservationResponse
from stockbuddy.stock.documents.sales.commit_reservation import commit_reservation
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import stored_response

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=ConditionalRoute)


@router.post("/{reservation_id}/commit", response_model=CommittedReservationResponse)
async def commit_held_stock(
    context: PostingContextDep, reservation_id: Annotated[Id, Path()], body: CommitReservation | None = None
) -> Response:
    return stored_response(
        await context.submit(lambda: commit_reservation(context, reservation_id, body or CommitReservation()))
    )
