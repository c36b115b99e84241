"""Why a start fails: an error that the operator can fix."""


class StartFailed(Exception):
    """The message is one line for the operator: what is wrong, where, and the remedy."""
