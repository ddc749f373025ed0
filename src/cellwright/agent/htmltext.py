"""HTML that a cell displays, as the text that a person reads: tables as aligned columns, the rest as lines."""

import html.parser
import re

_BLOCKS = frozenset({"p", "div", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "hr", "caption"})
_HIDDEN = frozenset({"style", "script", "head", "title"})
_MOST_CELL_CHARS = 80


def html_to_text(source: str) -> str:
    """The text of `source`, whatever it is: broken HTML gives what can be read of it."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.text()


class _Reader(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = [""]
        self._rows: list[list[str]] = []
        self._tables = 0
        self._in_cell = False
        self._span = 1
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "table":
            self._tables += 1
        elif tag == "tr" and self._tables:
            self._rows.append([])
        elif tag in ("td", "th") and self._tables:
            if not self._rows:
                self._rows.append([])
            self._rows[-1].append("")
            self._in_cell, self._span = True, _span(attrs)
        elif tag in _BLOCKS and not self._tables:
            self._lines.append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("td", "th") and self._in_cell:
            self._in_cell = False
            self._rows[-1] += [""] * (self._span - 1)  # A cell that spans columns says its words in the first.
        elif tag == "table" and self._tables:
            self._tables -= 1
            if not self._tables:
                self._lines += [*_aligned(self._rows), ""]
                self._rows = []
        elif tag in _BLOCKS and not self._tables:
            self._lines.append("")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._in_cell:
            self._rows[-1][-1] += data
        elif not self._tables:
            self._lines[-1] += data

    def text(self) -> str:
        """What was read so far; a table that has no end counts."""
        lines = [*self._lines, *_aligned(self._rows)]
        joined = "\n".join(line if "  " in line else re.sub(r"\s+", " ", line).strip() for line in lines)
        return re.sub(r"\n{3,}", "\n\n", joined).strip("\n")


def _span(attributes: list[tuple[str, str | None]]) -> int:
    value = dict(attributes).get("colspan") or "1"
    return min(int(value), 100) if value.isdigit() and value != "0" else 1


def _aligned(rows: list[list[str]]) -> list[str]:
    cleaned = [[re.sub(r"\s+", " ", cell).strip()[:_MOST_CELL_CHARS] for cell in row] for row in rows if row]
    if not cleaned:
        return []
    count = max(map(len, cleaned))
    padded = [row + [""] * (count - len(row)) for row in cleaned]
    widths = [max(len(row[column]) for row in padded) for column in range(count)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in padded]
