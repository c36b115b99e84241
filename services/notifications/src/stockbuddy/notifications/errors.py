"""What can go wrong here, beside what can go wrong everywhere."""

from stockbuddy.chassis.http.errors import Conflict, NotFound, Unprocessable


class UnknownNotification(NotFound):
    """There is no such notification, or it is not for you."""

    code = "unknown_notification"


class UnknownRecipient(Unprocessable):
    """There is no user of that id."""

    code = "unknown_user"


class UnknownWebhook(NotFound):
    """There is no such webhook."""

    code = "unknown_webhook"


class UnknownDelivery(NotFound):
    """This webhook has no such delivery."""

    code = "unknown_delivery"


class AddressNotAllowed(Unprocessable):
    """Webhooks go to public addresses only; the operator may allow others with WEBHOOK_ALLOW_PRIVATE=true."""

    code = "address_not_allowed"


class TooManyWebhooks(Conflict):
    """There are as many webhooks as there may be; delete one first."""

    code = "too_many_webhooks"


class DeliveryUnderWay(Conflict):
    """This delivery is on its way just now."""

    code = "delivery_under_way"


class WebhookSwitchedOff(Conflict):
    """This webhook is switched off; switch it on first."""

    code = "webhook_switched_off"
