"""Sets, changes and drops reorder rules: at most one for a product in a warehouse."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from stockbuddy.chassis.messaging import outbox
from stockbuddy.contracts.stock import (
    ReorderRuleCreated,
    ReorderRuleDeleted,
    ReorderRuleState,
    ReorderRuleUpdated,
)
from stockbuddy.stock.errors import ReorderRuleExists
from stockbuddy.stock.insights.reordering.model import ReorderRule


async def set_rule(session: AsyncSession, **values: Any) -> ReorderRule:
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
    outbox.add(session, _state(ReorderRuleCreated, rule))
    return rule


async def change_rule(session: AsyncSession, rule: ReorderRule, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(rule, name, value)
    rule.version += 1
    rule.updated_at = datetime.now(UTC)
    await session.flush()
    outbox.add(session, _state(ReorderRuleUpdated, rule))


async def drop_rule(session: AsyncSession, rule: ReorderRule) -> None:
    rule.version += 1
    outbox.add(session, _state(ReorderRuleDeleted, rule))
    await session.delete(rule)


def _state(event: type[ReorderRuleState], rule: ReorderRule) -> ReorderRuleState:
    return event.model_validate({name: getattr(rule, name) for name in event.model_fields})
