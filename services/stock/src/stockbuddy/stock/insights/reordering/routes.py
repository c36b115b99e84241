"""Reorder rules and suggestions over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.http.authentication import Caller, Manager
from stockbuddy.chassis.http.errors import NotFound
from stockbuddy.chassis.http.etags import ConditionalRoute, require_match, version_etag
from stockbuddy.chassis.http.pagination import Page, PageParameters
from stockbuddy.chassis.http.sessions import ReadSession, Session
from stockbuddy.stock.errors import NotYourWarehouse
from stockbuddy.stock.fields import Id
from stockbuddy.stock.http.posting_context import AtDesk, Desk
from stockbuddy.stock.http.responses import shown
from stockbuddy.stock.insights.reordering import commands, queries
from stockbuddy.stock.insights.reordering.model import ReorderRule
from stockbuddy.stock.insights.reordering.order_suggestions import draft_suggested
from stockbuddy.stock.insights.reordering.schemas import (
    ReorderRuleCreate,
    ReorderRuleUpdate,
    ReorderRuleResponse,
    SuggestionOrder,
    SuggestionsOrdered,
    SuggestionView,
)
from stockbuddy.stock.insights.reordering.suggestions import page_of, suggest_orders
from stockbuddy.stock.replicas.suppliers.lookup import supplier_named
from stockbuddy.stock.replicas.system_settings.zone import PlaceZone

rules = APIRouter(prefix="/api/v1/reorder-rules", tags=["reordering"], route_class=ConditionalRoute)
suggestions = APIRouter(prefix="/api/v1/reorder-suggestions", tags=["reordering"], route_class=ConditionalRoute)

RuleId = Annotated[Id, Path()]
_KEY_FIELDS = {"product_id", "sku", "product", "warehouse_id", "warehouse_code"}


@suggestions.get("", response_model=Page[SuggestionView])
async def list_suggestions(
    session: ReadSession,
    _: Caller,
    zone: PlaceZone,
    paging: PageParameters,
    product_id: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    supplier_id: Annotated[Id | None, Query()] = None,
) -> Response:
    """The most urgent first."""
    found = await suggest_orders(
        session,
        zone,
        warehouse_id=warehouse_id,
        supplier_id=supplier_id,
        product_ids=None if product_id is None else [product_id],
    )
    return shown(page_of(found, paging))


@suggestions.post("/order", response_model=SuggestionsOrdered, status_code=201)
async def order_suggestions(desk: AtDesk, _: Manager, zone: PlaceZone, body: SuggestionOrder) -> Response:
    """Drafts purchase orders, one per supplier and warehouse."""
    return await desk.submit(lambda: draft_suggested(desk, zone, body))


@rules.post("", response_model=ReorderRuleResponse, status_code=201)
async def set_reorder_rule(desk: AtDesk, session: Session, _: Manager, body: ReorderRuleCreate) -> Response:
    product = (await desk.products.find([body.product_reference]))[body.product_reference]
    warehouse = await desk.warehouse(body.warehouse_reference)
    if body.supplier_id is not None:
        await supplier_named(desk.database, body.supplier_id)
    values = body.model_dump(exclude=_KEY_FIELDS)
    rule = await commands.set_rule(session, **values, product_id=product.id, warehouse_id=warehouse.id)
    return _shown(rule, status=201)


@rules.get("", response_model=Page[ReorderRuleResponse])
async def list_reorder_rules(
    session: ReadSession,
    _: Manager,
    paging: PageParameters,
    product_id: Annotated[Id | None, Query()] = None,
    warehouse_id: Annotated[Id | None, Query()] = None,
    supplier_id: Annotated[Id | None, Query()] = None,
) -> Response:
    listed = await queries.list_rules(
        session, paging, product_id=product_id, warehouse_id=warehouse_id, supplier_id=supplier_id
    )
    return shown(listed.page(paging, ReorderRuleResponse.model_validate))


@rules.get("/{rule_id}", response_model=ReorderRuleResponse)
async def show_reorder_rule(session: ReadSession, _: Manager, rule_id: RuleId) -> Response:
    return _shown(_found(await queries.find_rule(session, rule_id)))


@rules.put("/{rule_id}", response_model=ReorderRuleResponse)
@rules.patch("/{rule_id}", response_model=ReorderRuleResponse, name="patch_reorder_rule")
async def change_reorder_rule(
    request: Request, desk: AtDesk, session: Session, _: Manager, rule_id: RuleId, body: ReorderRuleUpdate
) -> Response:
    if body.supplier_id is not None:
        await supplier_named(desk.database, body.supplier_id)
    changes: dict[str, Any] = body.model_dump(exclude_unset=True)
    if changes.get("is_active", True) is None:
        del changes["is_active"]
    rule = await _at_hand(request, desk, session, rule_id)
    await commands.change_rule(session, rule, changes)
    return _shown(rule)


@rules.delete("/{rule_id}", status_code=204)
async def drop_reorder_rule(request: Request, desk: AtDesk, session: Session, _: Manager, rule_id: RuleId) -> None:
    await commands.drop_rule(session, await _at_hand(request, desk, session, rule_id))


async def _at_hand(request: Request, desk: Desk, session: AsyncSession, rule_id: int) -> ReorderRule:
    """The rule, locked, if the caller may change it and knows its present state."""
    rule = _found(await queries.find_rule(session, rule_id, for_update=True))
    if not desk.caller.may_write_stock_at(rule.warehouse_id):
        raise NotYourWarehouse()
    require_match(request, version_etag(rule.version))
    return rule


def _found(rule: ReorderRule | None) -> ReorderRule:
    if rule is None:
        raise NotFound()
    return rule


def _shown(rule: ReorderRule, *, status: int = 200) -> Response:
    view = ReorderRuleResponse.model_validate(rule)
    return shown(view, status=status, etag=version_etag(rule.version))
