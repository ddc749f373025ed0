"""The console that commands print to."""

from rich.console import Console


def make_console(*, quiet: bool) -> Console:
    """For a person; `quiet` where a machine reads the result."""
    return Console(highlight=False, quiet=quiet)
