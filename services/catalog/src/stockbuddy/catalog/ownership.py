"""Restrictions to what is one's own, and to warehouses."""

from collections.abc import Sequence

from stockbuddy.catalog.errors import NotOwner
from stockbuddy.chassis.access.permissions import Permission
from stockbuddy.chassis.http.authentication import require
from stockbuddy.chassis.http.tokens import Principal


def require_ownership(caller: Principal, owner_id: int | None) -> None:
    if not caller.may(Permission.CATALOG_WRITE_ANY) and caller.user_id != owner_id:
        raise NotOwner()


def may_open_stock(warehouse_ids: frozenset[int] | None, default_warehouse_ids: Sequence[int]) -> bool:
    """Opening stock needs the same access as the movement that it becomes. `warehouse_ids`: those to which the caller
    is restricted, None for all. A restricted caller may not open stock while the default warehouse is unknown."""
    return warehouse_ids is None or (bool(default_warehouse_ids) and warehouse_ids.issuperset(default_warehouse_ids))


def sorted_or_none(warehouse_ids: frozenset[int] | None) -> list[int] | None:
    """The restriction as events and tables contain it."""
    return None if warehouse_ids is None else sorted(warehouse_ids)


def require_access_to_deleted(caller: Principal, *, include_deleted: bool) -> None:
    if include_deleted:
        require(caller, Permission.CATALOG_WRITE_ANY)
