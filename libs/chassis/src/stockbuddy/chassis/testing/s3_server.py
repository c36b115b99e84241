"""A private S3-compatible server."""

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from stockbuddy.local_servers.ports import free_port

START_TIMEOUT_SECONDS = 60
POLL_INTERVAL_SECONDS = 0.05


@contextmanager
def private_s3_server(bucket: str) -> Iterator[str]:
    """The URL of a server with an empty bucket; any keys are accepted."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + START_TIMEOUT_SECONDS
        while not _create_bucket(port, bucket):
            assert time.monotonic() < deadline, "the S3 server does not start"
            time.sleep(POLL_INTERVAL_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _create_bucket(port: int, bucket: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    try:
        connection.request("PUT", f"/{bucket}")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
