"""`python -m stockbuddy.embedded`: the whole system in one process, or with `--processes` one process per service."""

import argparse
import asyncio
import sys

from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.embedded import processes, single_process
from stockbuddy.embedded.settings import EmbeddedSettings
from stockbuddy.local_servers.postgres_programs import LocalPostgresError


def main() -> int:
    parser = argparse.ArgumentParser(prog="stockbuddy", description=__doc__)
    parser.add_argument("--processes", action="store_true", help="one process per service, with RabbitMQ at BUS_URL")
    arguments = parser.parse_args()
    settings = EmbeddedSettings()
    configure_logging(level="info", output="console" if settings.env == "development" else "json")
    run = processes.run if arguments.processes else single_process.run
    try:
        return asyncio.run(run(settings))
    except KeyboardInterrupt:
        return 0  # uvicorn raises SIGINT again after a complete shutdown
    except LocalPostgresError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
