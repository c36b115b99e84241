"""What the operator decides about notifications."""

from stockbuddy.chassis.settings import ServiceSettings


class NotificationsSettings(ServiceSettings):
    """The environment of the notifications service."""
