"""Routes of reorder rules and suggestions."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.fields import Id
from stockbuddy.chassis.http.authentication import Caller, requires
from stockbuddy.chassis.http.errors import raises
from stockbuddy.chassis.http.etags import IfMatch, require_match, version_etag
from stockbuddy.chassis.http.lightweight_route import LightweightRoute
from stockbuddy.chassis.http.pagination import Page
from stockbuddy.chassis.http.response_cache.cached import cached
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.chassis.http.tokens import Principal
from stockbuddy.stock.errors import (
    POSTING,
    ProductInactive,
    ReorderRuleExists,
    UnknownProduct,
    UnknownSupplier,
    UnknownWarehouse,
    WarehouseForbidden,
)
from stockbuddy.stock.http.dependencies import PostingContextDep
from stockbuddy.stock.http.responses import json_response, page_response, stored_response
from stockbuddy.stock.insights.company_timezone import CompanyTimezone
from stockbuddy.stock.insights.reordering import commands, queries
from stockbuddy.stock.insights.reordering.model import ReorderRule
from stockbuddy.stock.insights.reordering.order_suggestions import plan_suggested_orders
from stockbuddy.stock.insights.reordering.schemas import (
    OrderSuggestions,
    OrderSuggestionsResponse,
    ReorderFilter,
    ReorderRuleCreate,
    ReorderRuleResponse,
    ReorderRuleUpdate,
    SuggestionResponse,
)
from stockbuddy.stock.insights.reordering.suggestions import compute_suggestions, slice_page

rules = APIRouter(prefix="/api/v1/reorder-rules", tags=["reordering"], route_class=LightweightRoute)
suggestions = APIRouter(prefix="/api/v1/reorder-suggestions", tags=["reordering"], route_class=LightweightRoute)

RuleId = Annotated[Id, Path()]
Filters = Annotated[ReorderFilter, Query()]
_REFERENCE_FIELDS = {"product_id", "sku", "product", "warehouse_id", "warehouse_code"}


@suggestions.get("", response_model=Page[SuggestionResponse], dependencies=[requires(Permission.REPORT_READ)])
@cached(depends_on_time=True)
async def list_reorder_suggestions(session: ReadSession, zone: CompanyTimezone, filters: Filters) -> Response:
    """List what to reorder, the most urgent first.

    A suggestion for each product and warehouse whose inventory position (on hand and incoming, less reserved) is at
    or below the reorder point, with the quantity to order and every figure that it is computed from.
    """
    found = await compute_suggestions(
        session,
        zone,
        warehouse_id=filters.warehouse_id,
        supplier_id=filters.supplier_id,
        product_ids=None if filters.product_id is None else [filters.product_id],
    )
    return page_response(slice_page(found, filters), filters)


@suggestions.post(
    "/order",
    response_model=OrderSuggestionsResponse,
    status_code=201,
    dependencies=[requires(Permission.PURCHASE_WRITE)],
)
@raises(ProductInactive, UnknownSupplier, UnknownProduct, *POSTING)
async def order_suggestions(context: PostingContextDep, zone: CompanyTimezone, body: OrderSuggestions) -> Response:
    """Turn suggestions into draft purchase orders.

    Creates one draft for each supplier and warehouse, all or none. Fields that a line leaves out are taken from the
    current suggestion.
    """
    return stored_response(await context.submit(lambda: plan_suggested_orders(context, zone, body)))


@rules.post("", response_model=ReorderRuleResponse, status_code=201, dependencies=[requires(Permission.REORDER_WRITE)])
@raises(UnknownProduct, UnknownWarehouse, UnknownSupplier, WarehouseForbidden, ReorderRuleExists)
async def create_reorder_rule(context: PostingContextDep, session: Session, body: ReorderRuleCreate) -> Response:
    """Set reorder parameters of a product.

    For one warehouse, the default one if none is given. Parameters that are absent are computed from demand, the
    supplier's lead time and the product's threshold.
    """
    product = await context.products.load_one(body.product_reference, session=session)
    warehouse = await context.warehouse(body.warehouse_reference, session=session)
    if body.supplier_id is not None:
        await context.suppliers.load(body.supplier_id, session=session)
    values = body.model_dump(exclude=_REFERENCE_FIELDS)
    rule = await commands.create_rule(session, **values, product_id=product.id, warehouse_id=warehouse.id)
    return _to_response(rule, status=201)


@rules.get("", response_model=Page[ReorderRuleResponse], dependencies=[requires(Permission.REORDER_WRITE)])
async def list_reorder_rules(session: ReadSession, filters: Filters) -> Response:
    """List the reorder rules.

    Products without a rule are computed entirely from demand; `GET /reorder-suggestions` shows the parameters that
    apply.
    """
    found = await queries.list_rules(session, filters)
    return json_response(found.to_page(filters, ReorderRuleResponse.model_validate))


@rules.get("/{rule_id}", response_model=ReorderRuleResponse, dependencies=[requires(Permission.REORDER_WRITE)])
async def get_reorder_rule(session: ReadSession, rule_id: RuleId) -> Response:
    """Read a reorder rule.

    A parameter that is null is computed.
    """
    return _to_response(await queries.get_rule(session, rule_id))


@rules.put(
    "/{rule_id}",
    response_model=ReorderRuleResponse,
    name="update_reorder_rule_put",
    dependencies=[requires(Permission.REORDER_WRITE)],
)
@rules.patch("/{rule_id}", response_model=ReorderRuleResponse, dependencies=[requires(Permission.REORDER_WRITE)])
@raises(UnknownSupplier, WarehouseForbidden)
async def update_reorder_rule(
    context: PostingContextDep,
    session: Session,
    caller: Caller,
    rule_id: RuleId,
    body: ReorderRuleUpdate,
    if_match: IfMatch = None,
) -> Response:
    """Change a reorder rule.

    PUT and PATCH do the same: absent fields keep their values, and a parameter set to null is computed again.
    """
    if body.supplier_id is not None:
        await context.suppliers.load(body.supplier_id, session=session)
    rule = await _load_for_update(session, caller, rule_id, if_match)
    await commands.update_rule(session, rule, body.sent_fields())
    return _to_response(rule)


@rules.delete("/{rule_id}", status_code=204, dependencies=[requires(Permission.REORDER_WRITE)])
@raises(WarehouseForbidden)
async def delete_reorder_rule(session: Session, caller: Caller, rule_id: RuleId, if_match: IfMatch = None) -> None:
    """Delete a reorder rule.

    From then on all parameters of the product in this warehouse are computed.
    """
    await commands.delete_rule(session, await _load_for_update(session, caller, rule_id, if_match))


async def _load_for_update(session: AsyncSession, caller: Principal, rule_id: int, if_match: str | None) -> ReorderRule:
    """The locked rule. Raises NotFound, WarehouseForbidden, PreconditionFailed."""
    rule = await queries.get_rule(session, rule_id, for_update=True)
    if not caller.may_write_stock_at(rule.warehouse_id):
        raise WarehouseForbidden()
    require_match(if_match, version_etag(rule.version))
    return rule


def _to_response(rule: ReorderRule, *, status: int = 200) -> Response:
    body = ReorderRuleResponse.model_validate(rule)
    return json_response(body, status=status, etag=version_etag(rule.version))
