"""Tells Docker whether the service in this container is well: exits 0 when it is, 1 when not.

`healthcheck.py [PATH] [SECONDS]`: the page to ask (default /health/live), and for how long to go on asking.
It starts every few seconds in each container, so it imports little.
"""

import http.client
import os
import sys
import time

ANSWER_SECONDS = 4
PAUSE_SECONDS = 0.5


def is_well(path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT", "8000")), timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(path: str = "/health/live", seconds: str = "0") -> int:
    deadline = time.monotonic() + float(seconds)
    while not is_well(path):
        if time.monotonic() >= deadline:
            return 1
        time.sleep(PAUSE_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
