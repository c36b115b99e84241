"""The problems of roles and rights."""

from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound, Unprocessable


class RightsExceeded(Forbidden):
    """This concerns permissions, warehouses or discounts that you do not have yourself."""

    code = "rights_exceeded"


class ScopesExceedRole(Unprocessable):
    """The scopes of an API key must be permissions of its role."""

    code = "scopes_exceed_role"


class UnknownRole(Unprocessable):
    """There is no such role."""

    code = "unknown_role"


class RoleNotFound(NotFound):
    """There is no such role."""

    code = "role_not_found"


class RoleExists(Conflict):
    """There is a role with this name."""

    code = "role_exists"


class BuiltInRole(Conflict):
    """Built-in roles cannot be changed or deleted; define another one."""

    code = "built_in_role"


class RoleInUse(Conflict):
    """Users, API keys, invitations or the settings refer to this role."""

    code = "role_in_use"
