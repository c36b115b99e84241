"""`python -m stockbuddy.embedded`: the whole system in one process, or with `--processes` one process per service."""

import importlib
import signal
import sys

from stockbuddy.embedded.exit_codes import INTERRUPTED


def main() -> int:
    try:
        # The imports take seconds, in which Ctrl-C must not print a traceback.
        exit_code: int = importlib.import_module("stockbuddy.embedded.command_line").main()
    except KeyboardInterrupt:
        # make forwards SIGTERM, which its process group may have received as well.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        print("Interrupted before the system was ready.", file=sys.stderr)
        return INTERRUPTED
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
