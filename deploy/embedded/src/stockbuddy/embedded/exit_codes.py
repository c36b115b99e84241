"""Exit codes of `python -m stockbuddy.embedded`."""

FAILED = 1
INVALID_SETTINGS = 2
INTERRUPTED = 130
