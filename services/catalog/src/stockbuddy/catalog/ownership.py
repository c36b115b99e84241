"""Permissions beyond roles: managers and admins may change everything, salespeople what they created."""

from stockbuddy.catalog.errors import NotOwner
from stockbuddy.chassis.http.errors import Forbidden
from stockbuddy.chassis.http.tokens import Principal


def require_ownership(caller: Principal, owner_id: int | None) -> None:
    if not caller.is_manager and caller.user_id != owner_id:
        raise NotOwner()


def require_access_to_deleted(caller: Principal, *, include_deleted: bool) -> None:
    if include_deleted and not caller.is_manager:
        raise Forbidden("Only managers and admins may see deleted products.")
