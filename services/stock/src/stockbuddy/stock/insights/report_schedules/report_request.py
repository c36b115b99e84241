"""The reports that a schedule may run: what each requires and takes, and the request that it becomes at a run."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from pydantic import Field

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id, Integer, RequestBody
from stockbuddy.chassis.http.errors import Unprocessable
from stockbuddy.stock.calendar_days import PeriodUnit
from stockbuddy.stock.fields import Name
from stockbuddy.stock.insights.report_schedules.relative_period import RelativePeriod, days_of
from stockbuddy.stock.insights.reports.inventory_reports import MovementGrouping
from stockbuddy.stock.insights.reports.rendering import ReportFormat
from stockbuddy.stock.insights.reports.sales_reports import SalesGrouping

ReportName = Literal["inventory-valuation", "sales", "profit", "turnover", "stock-aging", "movements", "dead-stock"]
PATH = "/api/v1/reports"
READ_PERMISSIONS = frozenset({Permission.REPORT_READ, Permission.COST_READ, Permission.CUSTOMER_READ})
"""Those by which a report differs: a run has no others, so that more people may read its result."""


class ReportParameters(RequestBody):
    """The parameters of a report besides its period; each report takes some of them."""

    warehouse_id: Id | None = None
    category: Name | None = None
    group_by: Annotated[str, Field(max_length=20)] | None = None
    method: Literal["average", "fifo"] | None = None
    days: Annotated[Integer, Field(ge=1, le=3650)] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """`permissions`: what its route requires. `parameters`: which it takes; `groupings`: the values of `group_by`."""

    permissions: frozenset[Permission]
    parameters: frozenset[str]
    groupings: tuple[str, ...] = ()
    has_period: bool = False


_ANY_READER = frozenset({Permission.REPORT_READ})
_WITH_COSTS = _ANY_READER | {Permission.COST_READ}
_FILTERS = frozenset({"warehouse_id", "category"})
_GROUPED = _FILTERS | {"group_by"}

REPORTS: Mapping[ReportName, Report] = {
    "inventory-valuation": Report(_WITH_COSTS, _FILTERS | {"method"}),
    "sales": Report(_ANY_READER, _GROUPED, get_args(SalesGrouping), has_period=True),
    "profit": Report(_WITH_COSTS, _GROUPED - {"category"}, get_args(PeriodUnit), has_period=True),
    "turnover": Report(_ANY_READER, _FILTERS, has_period=True),
    "stock-aging": Report(_ANY_READER, _FILTERS),
    "movements": Report(_ANY_READER, _GROUPED, get_args(MovementGrouping), has_period=True),
    "dead-stock": Report(_ANY_READER, _FILTERS | {"days"}),
}


def check_request(name: ReportName, parameters: ReportParameters, period: RelativePeriod | None) -> None:
    """Raises Unprocessable for a parameter that the report does not take, or a period that it lacks."""
    report = REPORTS[name]
    for parameter in parameters.model_dump(exclude_none=True):
        if parameter not in report.parameters:
            raise Unprocessable.field(f"parameters.{parameter}", f"is not a parameter of the report {name}")
    if parameters.group_by is not None and parameters.group_by not in report.groupings:
        raise Unprocessable.field("parameters.group_by", f"must be one of {', '.join(report.groupings)}")
    if report.has_period and period is None:
        raise Unprocessable.field("period", f"is required by the report {name}")
    if not report.has_period and period is not None:
        raise Unprocessable.field(
            "period", f"does not apply to the report {name}, which is about the moment of the run"
        )


def path_of(name: ReportName) -> str:
    return f"{PATH}/{name}"


def query_of(
    parameters: Mapping[str, Any],
    period: RelativePeriod | None,
    report_format: ReportFormat,
    today: date,
    zone: ZoneInfo,
) -> str:
    """The query of a run on the day `today` of the zone."""
    values: dict[str, Any] = {**parameters, "format": report_format}
    if period is not None:
        values["from"], values["to"] = days_of(period, today)
        values["tz"] = zone.key
    return urlencode(values)
