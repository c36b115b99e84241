"""Route of the reconciliation."""

from fastapi import APIRouter

from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.stock.insights.integrity import queries
from stockbuddy.stock.insights.integrity.schemas import IntegrityResponse

router = APIRouter(prefix="/api/v1/stock", tags=["stock levels"], route_class=StrictQueryRoute)


@router.get("/integrity")
async def check_integrity(session: ReadSession, _: Admin) -> IntegrityResponse:
    """Check that every level equals the sum of its movements, in quantity and in value, that its reserved quantity
    equals that of its reservations and pending transfers, that every movement starts from the balance of the one
    before, and that goods in transit are worth what left less what arrived."""
    return await queries.check_integrity(session)
