"""Route of the reconciliation."""

from typing import Literal

from fastapi import APIRouter

from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.stock.insights.integrity import queries
from stockbuddy.stock.insights.integrity.schemas import IntegrityResponse

router = APIRouter(prefix="/api/v1/stock", tags=["stock levels"], route_class=StrictQueryRoute)


@router.get("/integrity")
async def check_integrity(
    session: ReadSession, _: Admin, values: Literal["average", "fifo"] = "average"
) -> IntegrityResponse:
    """Check that every level equals the sum of its movements, in quantity and in value, that its reserved quantity
    equals that of its reservations and pending transfers, that every movement starts from the balance of the one
    before, that goods in transit are worth what left less what arrived, and that movements are worth what the receipts
    of purchase orders state. `values=fifo` also replays the whole ledger, which takes seconds per million movements:
    the cost layers by FIFO have the quantities of the levels and the value that was paid less the cost of what left."""
    return await queries.check_integrity(session, by_fifo=values == "fifo")
