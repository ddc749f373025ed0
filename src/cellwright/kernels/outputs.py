"""Gathers one cell's output messages into Outputs, in bounded memory.

Charges what arrives, not what is left at the end: a display that is updated a thousand times counts a thousand times.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from cellwright.core.types import Output

# CSI sequences (colours, cursor), OSC sequences (titles, links) and the two-byte escapes: ECMA-48, section 5.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


def strip_ansi(text: str) -> str:
    """`text` without terminal colours and cursor movements."""
    return _ANSI.sub("", text)


class OutputCollector:
    """Outputs of one cell. `take` a message's type and content as they come; then read `outputs`."""

    def __init__(self, limit_bytes: int) -> None:
        self._room = limit_bytes
        self._items: list[Output | _Stream] = []
        self._displays: dict[str, list[int]] = {}
        self._clear_before_next = False
        self.truncated_bytes = 0

    def take(self, kind: str, content: Mapping[str, Any]) -> None:
        """Add one iopub message; kinds that are not output are ignored."""
        if kind == "clear_output":
            self._clear(bool(content.get("wait")))
        elif kind == "update_display_data":
            self._update(content)
        elif kind in {"stream", "display_data", "execute_result", "error"}:
            if self._clear_before_next:
                self._clear(wait=False)
            if kind == "stream":
                self._add_text(str(content["name"]), str(content["text"]))
            elif kind == "error":
                self._items.append(self._error(content))
            else:
                self._add_display(kind, content)

    @property
    def outputs(self) -> tuple[Output, ...]:
        return tuple(item.output() if isinstance(item, _Stream) else item for item in self._items)

    def _clear(self, wait: bool) -> None:
        self._clear_before_next = wait
        if not wait:
            self._items.clear()
            self._displays.clear()

    def _add_text(self, name: str, text: str) -> None:
        kept = self._cut(text)
        if not kept:
            return
        last = self._items[-1] if self._items else None
        if isinstance(last, _Stream) and last.name == name:
            last.parts.append(kept)
        else:
            self._items.append(_Stream(name, kept))

    def _add_display(self, kind: str, content: Mapping[str, Any]) -> None:
        data = self._bundle(content["data"])
        if not data:
            return
        display_id = content.get("transient", {}).get("display_id")
        if display_id:
            self._displays.setdefault(display_id, []).append(len(self._items))
        self._items.append(Output("result" if kind == "execute_result" else "display", data=data))

    def _update(self, content: Mapping[str, Any]) -> None:
        places = self._displays.get(content.get("transient", {}).get("display_id"), [])
        data = self._bundle(content["data"]) if places else {}
        if not data:
            return
        for place in places:
            self._items[place] = Output("display", data=data)

    def _error(self, content: Mapping[str, Any]) -> Output:
        lines = tuple(self._cut(strip_ansi(line)) for line in content["traceback"])
        return Output(
            "error", name=str(content["ename"]), text=self._cut(strip_ansi(str(content["evalue"]))), traceback=lines
        )

    def _bundle(self, data: Mapping[str, Any]) -> dict[str, str]:
        """What still fits; plain text is cut, other media are whole or absent."""
        kept: dict[str, str] = {}
        for media, value in data.items():
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            if media == "text/plain":
                kept[media] = self._cut(text)
            elif (size := len(text.encode("utf-8", "replace"))) <= self._room:
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
    """A run of chunks of one stream, joined once at the end."""

    def __init__(self, name: str, text: str) -> None:
        self.name = name
        self.parts = [text]

    def output(self) -> Output:
        return Output("stream", name=self.name, text="".join(self.parts))
