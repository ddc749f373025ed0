"""What a model sees of a cell's outputs: what a person would read, cut where a person would cut."""

import re
from collections.abc import Iterator

from cellwright.core.types import CellResult, Output

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_ERROR_LINES = 12
NO_OUTPUT = "(no output)"


def observe(result: CellResult, max_chars: int = 4000) -> str:
    """The outputs as text: streams, plain renderings, one line per figure, the last lines of an error.

    Over `max_chars`, the middle is left out, but never the end of an error.
    """
    shown = "\n".join(part for output in result.outputs if (part := _text(output)) and output.kind != "error")
    error = "\n".join(_error(output) for output in result.outputs if output.kind == "error")
    if result.status == "timeout":
        error = f"{error}\nThe cell was stopped: it ran over its time limit.".lstrip()
    if result.status == "dead":
        error = f"{error}\nThe kernel died. All variables are lost.".lstrip()
    text = "\n".join(part for part in (cut_middle(shown, max(200, max_chars - len(error))), error) if part)
    return text or NO_OUTPUT


def cut_middle(text: str, max_chars: int) -> str:
    """The first and last lines of a long text, whole lines where possible, saying how much is left out."""
    if len(text) <= max_chars:
        return text
    half = max_chars // 2
    head, tail = text[:half], text[-half:]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    left_out = len(text) - len(head) - len(tail)
    return f"{head.rstrip()}\n... ({left_out} characters left out) ...\n{tail.lstrip()}"


def _text(output: Output) -> str:
    if output.kind == "stream":
        return "" if output.name == "stderr" and _is_warning(output.text) else _clean(output.text)
    if any(media.startswith("image/") for media in output.data):
        return "[figure]"
    return _clean(output.data.get("text/plain", ""))


def _is_warning(text: str) -> bool:
    return "Warning:" in text and "Traceback" not in text


def _clean(text: str) -> str:
    """Without terminal colours, and with only the last state of lines that were written over, as progress bars are."""
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in _ANSI.sub("", text).split("\n"))
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def _error(output: Output) -> str:
    lines = list(_last_lines(output))
    return "\n".join(lines) if lines else f"{output.name}: {output.text}"


def _last_lines(output: Output) -> Iterator[str]:
    lines = [line for part in output.traceback for line in _clean(part).split("\n")]
    if len(lines) > _ERROR_LINES:
        yield "..."
    yield from lines[-_ERROR_LINES:]
