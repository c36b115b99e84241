"""Exit codes of `stockbuddy`; 2 is click's, for wrong arguments."""

FAILED = 1
"""The server refused the call, rows of an import failed, or `doctor` found a fault."""
NOT_PERMITTED = 3
"""Not logged in, or without the permission."""
UNAVAILABLE = 4
"""No usable response before the deadline: repeat the command."""
INTERRUPTED = 130
