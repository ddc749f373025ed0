"""Runs a program in the namespace of the notebook whose kernel this process is, or is a fork of."""

import __future__

import ast
import asyncio
import inspect
import itertools
import linecache
import time
from typing import Any

# The parts are one module inside a kernel.
if "ipython" not in globals():
    from cellwright.proof.inside.chance import asked_time, drawn, move_clock
    from cellwright.proof.inside.operations import seen, watched
    from cellwright.proof.inside.recording import ipython
    from cellwright.proof.inside.snapshots import snapshot

watching = [False]
"""Whether to say what programs do."""
_FUTURE = __future__.annotations.compiler_flag
_future = [0]
_loop: list[asyncio.AbstractEventLoop] = []
_numbers = itertools.count()


def execute(program: dict[str, Any]) -> dict[str, Any]:
    """What came of it, as `judge` tells; with the seconds of each of its units."""
    seconds: list[float] = []
    try:
        if program["days_ahead"]:
            move_clock(days=program["days_ahead"], seconds=program["seconds_ahead"])
        for source in program["units"]:
            started = time.monotonic()
            evaluate(source, "exec")
            seconds.append(round(time.monotonic() - started, 4))
        value: dict[str, Any] = {"t": "null"}
        if program.get("expression") is not None:
            value = snapshot(evaluate(program["expression"], "eval"))
        chance = {"drawn": drawn(), "asked_time": asked_time()}
        return {"value": value, **chance, "seconds": seconds, **(seen() if watching[0] else {})}
    except BaseException as error:  # noqa: BLE001 - a program may fail in any way, and that is its result
        return {"error": type(error).__name__, "text": str(error)[:500], "unit": len(seconds), "seconds": seconds}


def evaluate(source: str, mode: str) -> Any:
    """Run a statement, or give an expression's value, in the notebook's namespace; `await` is allowed as in a cell."""
    text: Any = watched(source, mode) if watching[0] else source
    name = f"<{mode} {next(_numbers)}>"
    linecache.cache[name] = (len(source), None, f"{source}\n".splitlines(keepends=True), name)
    code = compile(text, name, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT | _future[0])
    _future[0] |= code.co_flags & _FUTURE
    is_coroutine = bool(code.co_flags & inspect.CO_COROUTINE)
    if not (_loop or is_coroutine or "asyncio" in source):
        return eval(code, ipython().user_ns)
    if not _loop:
        asyncio._set_running_loop(None)  # the kernel's own, of which this is a fork
        _loop.append(asyncio.new_event_loop())
        asyncio.set_event_loop(_loop[0])

    async def within() -> Any:
        result = eval(code, ipython().user_ns)
        return await result if is_coroutine else result

    return _loop[0].run_until_complete(within())
