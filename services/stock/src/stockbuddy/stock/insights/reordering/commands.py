"""Creates, updates and deletes reorder rules."""

from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import ReorderRuleCreated, ReorderRuleDeleted, ReorderRuleState, ReorderRuleUpdated
from stockbuddy.stock.errors import ReorderRuleExists
from stockbuddy.stock.insights.reordering.model import ReorderRule


async def create_rule(session: AsyncSession, **values: Any) -> ReorderRule:
    """Raises ReorderRuleExists."""
    rule = ReorderRule(**values)
    session.add(rule)
    try:
        await session.flush()
    except IntegrityError as error:
        if "reorder_rule_single" in str(error.orig):
            raise ReorderRuleExists() from error
        raise
    await session.refresh(rule)
    outbox.add(session, _to_event(ReorderRuleCreated, rule))
    return rule


async def update_rule(session: AsyncSession, rule: ReorderRule, changes: dict[str, Any]) -> None:
    rule.update_fields(changes)
    await session.flush()
    outbox.add(session, _to_event(ReorderRuleUpdated, rule))


async def delete_rule(session: AsyncSession, rule: ReorderRule) -> None:
    rule.version += 1
    outbox.add(session, _to_event(ReorderRuleDeleted, rule))
    await session.delete(rule)


def _to_event(event_type: type[ReorderRuleState], rule: ReorderRule) -> ReorderRuleState:
    return event_type.model_validate({name: getattr(rule, name) for name in event_type.model_fields})
