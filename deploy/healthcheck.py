"""Docker health check of the service in this container: exits with 0 if it is healthy, with 1 if not.

The gateway's public port may refuse it (`ALLOWED_HOSTS`), the one of METRICS_PORT does not. A gateway that demands
HTTPS is running, and has started after the services.

`healthcheck.py [PATH] [SECONDS]`: the path to request (default /health/live), and how long to retry. It imports little,
because it starts every few seconds in each container.
"""

import http.client
import os
import sys
import time

RESPONSE_TIMEOUT_SECONDS = 4
RETRY_INTERVAL_SECONDS = 0.5
HTTPS_REQUIRED = b'"https_required"'


def ports() -> list[int]:
    return [int(port) for port in (os.environ.get("METRICS_PORT"), os.environ.get("PORT", "8000")) if port]


def is_healthy(path: str, port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=RESPONSE_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status == 200 or HTTPS_REQUIRED in response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def main(path: str = "/health/live", seconds: str = "0") -> int:
    deadline = time.monotonic() + float(seconds)
    while not any(is_healthy(path, port) for port in ports()):
        if time.monotonic() >= deadline:
            return 1
        time.sleep(RETRY_INTERVAL_SECONDS)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
