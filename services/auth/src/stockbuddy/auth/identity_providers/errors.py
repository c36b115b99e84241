"""Failures at identity providers. Each docstring is the message that clients receive."""

from stockbuddy.chassis.http.errors import Unauthenticated, Unavailable


class SignInFailed(Unauthenticated):
    """The identity provider did not confirm who you are; sign in again."""

    code = "sign_in_failed"


class ProviderUnavailable(Unavailable):
    """The identity provider does not respond as it should; retry later or log in with your password."""

    code = "provider_unavailable"
