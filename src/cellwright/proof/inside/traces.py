"""Where an exception passed through the notebook's own code; writes that pandas would lose, as errors.

Runs in the kernel, in one namespace with the other files of this folder.
"""

import importlib
import linecache
import sys
import warnings
from typing import Any, Literal

_FAILURE_MIME = "application/vnd.cellwright.failure+json"
_MAX_FRAMES, _MAX_SOURCE = 12, 100_000
_strict = [False]


def where() -> None:
    """Hand out, as a display, the statement that ran last and the frames of the last exception that are cells'.

    {"position": index, "frames": [[text of the cell as Python, line], ...]}, the innermost frame last.
    """
    shell = importlib.import_module("IPython").get_ipython()
    frames: list[list[Any]] = []
    trace = getattr(sys, "last_traceback", None)
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        text = "".join(linecache.getlines(name)) if name in linecache.cache and "ipykernel" in name else ""
        if text and len(text) <= _MAX_SOURCE:
            frames.append([text, trace.tb_lineno])
        trace = trace.tb_next
    position = globals()["_position"]
    content = {"position": position[0], "frames": frames[-_MAX_FRAMES:]}
    position[0] = -1
    globals()["_recorded"].clear()
    shell.display_pub.publish(data={_FAILURE_MIME: globals()["to_text"](content)})


def strict(on: bool) -> None:
    """Whether a write to a copy, which pandas only warns of, is an error, whatever filters the notebook sets."""
    _strict[0] = on
    if "plain_at" not in globals():
        globals()["plain_at"] = globals()["at"]
        globals()["at"] = _strict_at
    _escalate()


def _strict_at(statement: int) -> None:
    globals()["plain_at"](statement)
    _escalate()


def _escalate() -> None:
    pandas = sys.modules.get("pandas")
    category = getattr(getattr(pandas, "errors", None), "ChainedAssignmentError", None)
    if category is None:
        return
    action: Literal["error", "ignore"] = "error" if _strict[0] else "ignore"
    first = warnings.filters[0] if warnings.filters else None
    if first is None or first[0] != action or first[2] is not category:
        warnings.filterwarnings(action, category=category)
