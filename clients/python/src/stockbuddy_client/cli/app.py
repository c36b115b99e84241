"""`stockbuddy`: its commands, and those that other packages add as entry points of the group `stockbuddy.commands`."""

import sys
from importlib.metadata import EntryPoint, entry_points

import click

from stockbuddy_client import StockbuddyError
from stockbuddy_client.cli.context import describe, exit_code_of
from stockbuddy_client.cli.doctor import doctor
from stockbuddy_client.cli.exit_codes import INTERRUPTED
from stockbuddy_client.cli.files import export, import_file
from stockbuddy_client.cli.listen import listen
from stockbuddy_client.cli.login import login, logout
from stockbuddy_client.cli.records import orders, products, sales, stock

GROUP = "stockbuddy.commands"


class ServerCommand(click.Command):
    """A function without parameters that reads `sys.argv`, such as `serve` of the server. It is loaded when it is run
    or its description is listed."""

    def __init__(self, entry_point: EntryPoint) -> None:
        super().__init__(
            entry_point.name,
            context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
            add_help_option=False,
        )
        self._entry_point = entry_point

    def get_short_help_str(self, limit: int = 45) -> str:  # noqa: ARG002 (the limit is for generated texts)
        return (self._entry_point.load().__doc__ or "").partition("\n")[0]

    def invoke(self, context: click.Context) -> None:
        sys.argv = [f"stockbuddy {self.name}", *context.args]
        context.exit(self._entry_point.load()())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--url", envvar="STOCKBUDDY_URL", help="The server; default: that of the latest login.")
@click.version_option(package_name="stockbuddy-client", message="%(version)s")
def app(url: str | None) -> None:
    """The Stockbuddy inventory from the command line.

    Exit codes: 0 done, 1 refused or failed, 2 wrong arguments, 3 not logged in or not permitted, 4 the server is not
    available.
    """


for command in (login, logout, products, stock, sales, orders, import_file, export, listen, doctor):
    app.add_command(command)
for found in entry_points(group=GROUP):
    app.add_command(ServerCommand(found))


def run() -> int:
    """The exit code of the command in `sys.argv`."""
    try:
        return app(standalone_mode=False) or 0
    except StockbuddyError as error:
        click.echo(f"Error: {describe(error)}", err=True)
        return exit_code_of(error)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has ended, such as `head`.
        sys.stderr.close()
        return 0
