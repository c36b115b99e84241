"""Runs the command `stockbuddy`, and explains what is missing if only the library is installed."""

import sys
from importlib import import_module
from importlib.util import find_spec

FAILED = 1


def main() -> int:
    missing = [name for name in ("click", "rich", "standardwebhooks") if find_spec(name) is None]
    if missing:
        print("Install the command line: pip install 'stockbuddy-client[cli]'", file=sys.stderr)
        return FAILED
    exit_code: int = import_module("stockbuddy_client.cli.app").run()
    return exit_code


if __name__ == "__main__":
    sys.exit(main())
