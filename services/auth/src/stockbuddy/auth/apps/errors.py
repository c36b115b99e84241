"""Errors of apps and consents. Each docstring is the message that clients receive."""

from stockbuddy.chassis.http.errors import Conflict, NotFound


class AppNotFound(NotFound):
    """There is no app with this id."""


class ConsentNotFound(NotFound):
    """You have allowed this app nothing."""


class PublicApp(Conflict):
    """A public app has no secret."""

    code = "public_app"
