"""The proof over HTTP."""

from fastapi import APIRouter

from stockbuddy.chassis.http.authentication import Admin
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.stock.insights.integrity.queries import find_differences
from stockbuddy.stock.insights.integrity.schemas import IntegrityView

router = APIRouter(prefix="/api/v1/stock", tags=["stock levels"])


@router.get("/integrity")
async def check_integrity(session: ReadSession, _: Admin) -> IntegrityView:
    """Whether every level equals the sum of its movements and holds exactly what is reserved and about to be
    transferred, and every movement follows from the one before."""
    differences = await find_differences(session)
    return IntegrityView(ok=not differences, differences=differences)
