"""Gathers one cell's output messages into Outputs, in bounded memory.

Charges what arrives, not what is left at the end: a display that is updated a thousand times counts a thousand times.
Messages may come from hostile code: one that is not of its kind's form is passed over, and empty ones are bounded too.
"""

import io
import itertools
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

import msgspec

from cellwright.core.types import Output

# CSI sequences (colours, cursor), OSC sequences (titles, links) and the two-byte escapes: ECMA-48, section 5.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def strip_ansi(text: str) -> str:
    """`text` without terminal colours and cursor movements."""
    return _ANSI.sub("", text)


# The kernel sends 10,000 messages of a cell at the most; a bundle of an honest display has a handful of media.
_MOST_OUTPUTS = 20_000
_MOST_MEDIA = 100
_MOST_LINES = 10_000
_NAME_CHARS = 1000


class _Text(msgspec.Struct):
    name: Literal["stdout", "stderr"]
    text: str


class _Transient(msgspec.Struct):
    display_id: Any = None


class _Display(msgspec.Struct):
    data: dict[str, Any]
    transient: _Transient | None = None

    @property
    def display_id(self) -> str | int | None:
        name = self.transient.display_id if self.transient else None
        return name if isinstance(name, str | int) and len(str(name)) <= _NAME_CHARS else None


class _Failure(msgspec.Struct):
    ename: str
    evalue: str
    traceback: list[str]


class _Clear(msgspec.Struct):
    wait: bool = False


_FORMS: dict[str, type[_Text | _Display | _Failure | _Clear]] = {
    "stream": _Text,
    "display_data": _Display,
    "execute_result": _Display,
    "update_display_data": _Display,
    "error": _Failure,
    "clear_output": _Clear,
}


class OutputCollector:
    """Outputs of one cell. `take` a message's type and content as they come; then read `outputs`."""

    def __init__(self, limit_bytes: int, listen: Callable[[Output], None] | None = None) -> None:
        """`listen` is told of each piece of output that is kept, as it comes."""
        self._room = limit_bytes
        self._listen = listen
        self._items: list[Output | _Stream] = []
        self._displays: dict[str | int, list[int]] = {}
        self._clear_before_next = False
        self.truncated_bytes = 0

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Add one iopub message; kinds that are not output are ignored."""
        form = _FORMS.get(kind)
        if form is None:
            return
        try:
            message = msgspec.convert(content, form)
        except msgspec.ValidationError:
            return
        if isinstance(message, _Clear):
            self._clear(message.wait)
        elif isinstance(message, _Display) and kind == "update_display_data":
            self._update(message)
        else:
            if self._clear_before_next:
                self._clear(wait=False)
            if isinstance(message, _Text):
                self._add_text(message)
            elif isinstance(message, _Display):
                self._add_display(kind, message)
            else:
                self._add(self._error(message))

    @property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(item.output() if isinstance(item, _Stream) else item for item in self._items)

    def _clear(self, wait: bool) -> None:
        self._clear_before_next = wait
        if not wait:
            self._items.clear()
            self._displays.clear()

    def _add(self, item: "Output | _Stream") -> None:
        if len(self._items) < _MOST_OUTPUTS:
            self._items.append(item)
            if self._listen is not None and isinstance(item, Output):
                self._listen(item)
        else:
            # Only code that goes around the kernel's own bounds gets here; that there is a loss shows all the same.
            self.truncated_bytes += 1

    def _add_text(self, message: _Text) -> None:
        kept = self._cut(message.text)
        if not kept:
            return
        if self._listen is not None and len(self._items) < _MOST_OUTPUTS:
            self._listen(Output("stream", name=message.name, text=kept))
        last = self._items[-1] if self._items else None
        if isinstance(last, _Stream) and last.name == message.name:
            last.text.write(kept)
        else:
            self._add(_Stream(message.name, kept))

    def _add_display(self, kind: str, message: _Display) -> None:
        data = self._bundle(message.data)
        if not data:
            return
        if message.display_id is not None and len(self._items) < _MOST_OUTPUTS:
            self._displays.setdefault(message.display_id, []).append(len(self._items))
        self._add(Output("result" if kind == "execute_result" else "display", data=data))

    def _update(self, message: _Display) -> None:
        places = self._displays.get(message.display_id, []) if message.display_id is not None else []
        data = self._bundle(message.data) if places else {}
        if not data:
            return
        updated = Output("display", data=data)
        for place in places:
            self._items[place] = updated

    def _error(self, message: _Failure) -> Output:
        lines = tuple(self._cut(strip_ansi(line)) for line in message.traceback[:_MOST_LINES])
        return Output(
            "error", name=message.ename[:_NAME_CHARS], text=self._cut(strip_ansi(message.evalue)), traceback=lines
        )

    def _bundle(self, data: Mapping[str, Any]) -> dict[str, str]:
        """What still fits; plain text is cut, other media are whole or absent."""
        kept: dict[str, str] = {}
        for media, value in itertools.islice(data.items(), _MOST_MEDIA):
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if media == "text/plain":
                kept[media] = self._cut(text)
            elif (size := len(text.encode("utf-8", "replace"))) <= self._room and len(media) <= _NAME_CHARS:
                self._room -= size
                kept[media] = text
            else:
                self.truncated_bytes += size
        return kept

    def _cut(self, text: str) -> str:
        data = text.encode("utf-8", "replace")
        if len(data) <= self._room:
            self._room -= len(data)
            return text
        kept = data[: self._room].decode("utf-8", "ignore")
        self.truncated_bytes += len(data) - len(kept.encode())
        self._room = 0
        return kept


class _Stream:
    """A run of chunks of one stream, in a buffer: a list of a million tiny ones would take far more than their text."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.text = io.StringIO()
        self.text.write(text)

    def output(self) -> Output:
        return Output("stream", name=self.name, text=self.text.getvalue())
