"""Route of the reconciliation."""

from typing import Literal

from fastapi import APIRouter

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import requires
from stockbuddy.chassis.http.sessions import ReadSession
from stockbuddy.chassis.http.strict_query import StrictQueryRoute
from stockbuddy.stock.insights.integrity import queries
from stockbuddy.stock.insights.integrity.schemas import IntegrityResponse

router = APIRouter(prefix="/api/v1/stock", tags=["stock levels"], route_class=StrictQueryRoute)


@router.get("/integrity", dependencies=[requires(Permission.SYSTEM_READ)])
async def check_integrity(session: ReadSession, values: Literal["average", "fifo"] = "average") -> IntegrityResponse:
    """Check that levels agree with the ledger.

    Every level must equal the sum of its movements in quantity and value, its reserved quantity the sum of
    reservations and pending transfers, and every movement must start from the balance of the one before. Goods in
    transit and receipts are compared with what was paid. `ok` is true if nothing differs. `values=fifo` also
    replays the whole ledger, which takes seconds per million movements.
    """
    return await queries.check_integrity(session, by_fifo=values == "fifo")
