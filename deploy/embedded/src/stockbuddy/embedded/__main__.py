"""`python -m stockbuddy.embedded`: the whole system in one process, or with `--processes` one for each service."""

import argparse
import asyncio
import sys

from stockbuddy.local_servers.postgres_programs import LocalPostgresError
from stockbuddy.chassis.runtime.logging import configure_logging
from stockbuddy.embedded import one_process, processes
from stockbuddy.embedded.settings import EmbeddedSettings


def main() -> int:
    parser = argparse.ArgumentParser(prog="stockbuddy", description=__doc__)
    parser.add_argument("--processes", action="store_true", help="a process per service, on RabbitMQ at BUS_URL")
    arguments = parser.parse_args()
    settings = EmbeddedSettings()
    configure_logging(level="info", output="console" if settings.env == "development" else "json")
    run = processes.run if arguments.processes else one_process.run
    try:
        return asyncio.run(run(settings))
    except KeyboardInterrupt:
        return 0  # Everything has stopped in order; the signal is raised again for whoever may wait for it.
    except LocalPostgresError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
