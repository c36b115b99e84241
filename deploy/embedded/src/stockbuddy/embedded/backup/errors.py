"""Why a backup or a restore fails: an error that the operator can fix."""


class BackupFailed(Exception):
    """The message is one line for the operator: what is wrong, and the remedy."""
