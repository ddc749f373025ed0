"""How commands run what they call, and end."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

from cellwright.apps.texts import visible

T = TypeVar("T")
GOES_ON = "stopped. What was done is kept: the same command goes on from there."


def fail(message: str, code: int) -> int:
    """Say why a command ends without its result; returns the exit code."""
    typer.echo(f"cellwright: {visible(message)}", err=True)
    return code


def has_sandbox() -> bool:
    """Whether this machine can isolate a kernel."""
    from cellwright.core.errors import NoSandbox
    from cellwright.kernels.isolation import best_rung

    try:
        best_rung(sys.executable)
    except NoSandbox:
        return False
    return True


def say_isolation(*, trusted: bool, quiet: bool) -> None:
    """Which rung of the ladder kernels will have. A machine without any is reported by whoever starts one."""
    from cellwright.kernels.isolation import WORDS, best_rung

    if not quiet and (trusted or has_sandbox()):
        typer.echo(f"kernels: {WORDS['trusted' if trusted else best_rung(sys.executable)]}", err=True)


def run(job: Coroutine[Any, Any, T], stopped: str = "stopped") -> T:
    """To its end, or to Ctrl-C, of which `stopped` is said: typer would say nothing."""
    try:
        return asyncio.run(job)
    except KeyboardInterrupt:
        raise typer.Exit(fail(stopped, 130)) from None
