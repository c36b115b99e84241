"""The problems of saved views."""

from stockbuddy.chassis.http.errors import Conflict, Forbidden, NotFound


class ViewNotFound(NotFound):
    """There is no such view, or it belongs to another user who does not share it."""

    code = "view_not_found"


class ViewExists(Conflict):
    """You have a view of this list with this name."""

    code = "view_exists"


class TooManyViews(Conflict):
    """You have as many views as one user can have; delete some."""

    code = "too_many_views"


class ForeignView(Forbidden):
    """This view belongs to another user."""

    code = "foreign_view"
