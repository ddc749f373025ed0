"""The command line: which commands there are, and how a person's mistake ends."""

import logging
import sys
from typing import Annotated

import typer

import cellwright
from cellwright.apps.commands.answers import ask, grade, replay
from cellwright.apps.commands.datasets import audit, build, demo, fingerprint, show, twin, verify
from cellwright.apps.commands.kernels import environment_app, kernel_app
from cellwright.apps.commands.running import fail
from cellwright.apps.commands.training import train_app
from cellwright.core.errors import CellwrightError, UsageError

app = typer.Typer(
    help="Turn Jupyter notebooks into proved data-analysis tasks and traces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (build, demo, verify, show, twin, grade, ask, replay, audit, fingerprint):
    app.command()(command)
app.add_typer(train_app, name="train", no_args_is_help=True)
app.add_typer(kernel_app, name="kernel", no_args_is_help=True)
app.add_typer(environment_app, name="environment", no_args_is_help=True)


def main() -> None:
    """Run the command line; a person's mistake ends in one line and exit code 2, never in a traceback."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except UsageError as error:
        sys.exit(fail(str(error), 2))
    except CellwrightError as error:
        sys.exit(fail(f"{type(error).__name__}: {error}", 1))
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(fail(f"{error.filename}: {error.strerror}", 1))


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cellwright {cellwright.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass
