"""`python -m stockbuddy.embedded`: the whole system in one process, or with `--processes` one process per service."""

import importlib
import sys

from stockbuddy.embedded.exit_codes import INTERRUPTED


def main() -> int:
    try:
        # The imports take seconds, in which Ctrl-C must not print a traceback.
        exit_code: int = importlib.import_module("stockbuddy.embedded.command_line").main()
    except KeyboardInterrupt:
        print("Interrupted before the system was ready.", file=sys.stderr)
        return INTERRUPTED
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
