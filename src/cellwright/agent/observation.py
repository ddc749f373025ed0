"""What a model sees of a cell's outputs: what a person would read, cut where a person would cut."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from cellwright.agent.htmltext import html_to_text
from cellwright.core.types import CellResult, Output
from cellwright.models.tokens import estimate_tokens

# CSI and OSC sequences and the two-byte escapes: ECMA-48, section 5.
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
# With those of 8 bits (C1): terminals take U+009B for an escape and a bracket.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ERROR_LINES = 12
_LEAST_TOKENS = 50
_MOST_CLEANED_CHARS = 1 << 20
# What an object is shown as that has nothing to say in plain text.
_NO_TEXT = re.compile(r"^<[\w. ]+(?: at 0x[0-9a-f]+| object)?>$")
_FIGURE_SIZE = re.compile(r"^<Figure size (\d+)x(\d+) with (\d+) Axes>$")
_PICTURES = ("image/png", "image/jpeg")
_MOST_PICTURES = 4
NO_OUTPUT = "(no output)"


@dataclass(frozen=True)
class Observation:
    """The outputs of one cell as a model is told of them."""

    text: str
    images: tuple[str, ...] = ()
    """Data URLs of the figures, for a model that sees."""


def observe(result: CellResult, max_tokens: int = 1500, *, sees: bool = False) -> Observation:
    """Streams, plain text, HTML tables as text, the last lines of an error; figures as pictures or in one line each.

    Over `max_tokens`, by estimate, the middle is left out, but never the end of an error.
    """
    shown = "\n".join(part for output in result.outputs if (part := _text(output)) and output.kind != "error")
    error = "\n".join(_error(output) for output in result.outputs if output.kind == "error")
    if result.status == "timeout":
        error = f"{error}\nThe cell was stopped: it ran over its time limit.".lstrip()
    if result.status == "dead":
        why = f" ({result.ended_by})" if result.ended_by else ""
        error = f"{error}\nThe kernel died{why}. All variables are lost.".lstrip()
    error = cut_middle(error, max_tokens)
    room = max(_LEAST_TOKENS, max_tokens - estimate_tokens(error))
    text = "\n".join(part for part in (cut_middle(shown, room), error) if part)
    images = tuple(_pictures(result))[:_MOST_PICTURES] if sees else ()
    return Observation(text or NO_OUTPUT, images)


def cut_middle(text: str, max_tokens: int) -> str:
    """The first and last lines of a long text, whole lines where possible, saying how much is left out."""
    tokens = estimate_tokens(text)
    if tokens <= max_tokens:
        return text
    half = max(1, int(len(text) * max_tokens / tokens / 2))
    head, tail = text[:half], text[-half:]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] or tail
    left_out = len(text) - len(head) - len(tail)
    return f"{head.rstrip()}\n... ({left_out} characters left out) ...\n{tail.lstrip()}"


def _text(output: Output) -> str:
    if output.kind == "stream":
        return "" if output.name == "stderr" and _is_warning(output.text) else clean(output.text)
    plain = output.data.get("text/plain", "")
    if any(media.startswith("image/") for media in output.data):
        return _figure(plain)
    if "text/html" in output.data and (not plain or _NO_TEXT.match(plain)):
        return clean(html_to_text(output.data["text/html"])) or clean(plain)
    for media in ("text/markdown", "text/latex"):
        if media in output.data and (not plain or _NO_TEXT.match(plain)):
            return clean(output.data[media])
    return clean(plain)


def _figure(plain: str) -> str:
    if size := _FIGURE_SIZE.match(plain):
        axes = "1 plot" if size[3] == "1" else f"{size[3]} plots"
        return f"[figure: {axes}, {size[1]}x{size[2]} pixels]"
    return "[figure]"


def _pictures(result: CellResult) -> Iterator[str]:
    for output in result.outputs:
        for media in _PICTURES:
            if media in output.data:
                yield f"data:{media};base64,{output.data[media].replace(chr(10), '')}"
                break


def _is_warning(text: str) -> bool:
    return "Warning:" in text and "Traceback" not in text


def clean(text: str) -> str:
    """Without terminal escapes, and with only the last state of lines that were written over, as progress bars are."""
    if len(text) > _MOST_CLEANED_CHARS:
        half = _MOST_CLEANED_CHARS // 2
        text = f"{text[:half]}\n... ({len(text) - 2 * half} characters left out) ...\n{text[-half:]}"
    text = _ESCAPES.sub("", text)
    if "\x08" in text:
        text = _backspaced(text)
    lines = (line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))
    return "\n".join(_CONTROLS.sub("", line).rstrip() for line in lines).strip("\n")


def _backspaced(text: str) -> str:
    """Each backspace takes the character before it, but not the end of a line."""
    kept: list[str] = []
    for character in text:
        if character != "\x08":
            kept.append(character)
        elif kept and kept[-1] != "\n":
            kept.pop()
    return "".join(kept)


def _error(output: Output) -> str:
    lines = list(_last_lines(output))
    return "\n".join(lines) if lines else f"{output.name}: {clean(output.text)}"


def _last_lines(output: Output) -> Iterator[str]:
    lines = [line for part in output.traceback for line in clean(part).split("\n")]
    if len(lines) > _ERROR_LINES:
        yield "..."
    yield from lines[-_ERROR_LINES:]
