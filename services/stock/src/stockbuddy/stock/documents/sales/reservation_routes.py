"""What becomes of reservations, over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Path, Response

from stockbuddy.chassis.http.etags import ConditionalRoute
from stockbuddy.stock.documents.sales.committing import commit_reservation
from stockbuddy.stock.documents.sales.schemas import Commitment, CommittedView
from stockbuddy.stock.fields import Id
from stockbuddy.stock.http.posting_context import AtDesk

router = APIRouter(prefix="/api/v1/reservations", tags=["reservations"], route_class=ConditionalRoute)


@router.post("/{reservation_id}/commit", response_model=CommittedView)
async def commit_held_stock(
    desk: AtDesk, reservation_id: Annotated[Id, Path()], body: Commitment | None = None
) -> Response:
    return await desk.submit(lambda: commit_reservation(desk, reservation_id, body or Commitment()))
