"""Why the event log was not archived."""


class ArchiveFailed(Exception):
    """The message says what the operator can do. What was archived before stays archived; nothing else has changed."""
