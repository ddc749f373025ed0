"""HTML that a cell displays, as the text that a person reads: tables as aligned columns, the rest as lines.

Python's own parser takes the square of the time for tags that are not closed, and raises for some; this one takes a
time that the length bounds, for anything.
"""

import html
import re

_BLOCKS = frozenset({"p", "div", "br", "li", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "pre", "hr", "caption"})
_HIDDEN = frozenset({"head", "title"})
_NO_TEXT = re.compile(r"<!--.*?(?:-->|\Z)|<(script|style)\b.*?(?:</\1\s*+>|\Z)", re.DOTALL | re.IGNORECASE)
# After its `<`, up to the next one.
_TAG = re.compile(r"""(/?)([a-z][^\s/>]*+)((?:[^>"']|"[^"]*"|'[^']*')*+)>""", re.IGNORECASE)
_BEGINS_TAG = re.compile("[a-z/!?]", re.IGNORECASE)
_SPAN = re.compile(r"""(?<![\w-])colspan\s*=\s*["']?0*+([1-9][0-9]{0,2})\b""", re.IGNORECASE | re.ASCII)
_MOST_CHARS = 1 << 19
_MOST_CELL_CHARS = 80
_MOST_SPAN = 100


def html_to_text(source: str) -> str:
    """The text of `source`, whatever it is: broken HTML gives what can be read of it. A very long one is cut off."""
    reader = _Reader()
    reader.read(_NO_TEXT.sub("", source[:_MOST_CHARS]))
    left_out = len(source) - _MOST_CHARS
    return f"{reader.text()}\n... ({left_out} characters of HTML left out)" if left_out > 0 else reader.text()


class _Reader:
    def __init__(self) -> None:
        self._lines: list[str] = []
        self._words: list[str] = []
        """Pieces of the line that has no end yet."""
        self._rows: list[list[str]] = []
        self._cell: list[str] | None = None
        """Pieces of the cell that has no end yet."""
        self._tables = 0
        self._span = 1
        self._hidden = 0

    def read(self, source: str) -> None:
        """Take in tags and the texts between them."""
        text, *segments = source.split("<")
        self._take(text)
        for segment in segments:
            if found := _TAG.match(segment):
                name = found[2].lower()
                if found[1]:
                    self._end(name)
                else:
                    self._begin(name, found[3])
                self._take(segment[found.end() :])
            elif _BEGINS_TAG.match(segment):
                self._take(segment.partition(">")[2])
            else:
                self._take(f"<{segment}")

    def _begin(self, tag: str, attributes: str) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "table":
            self._tables += 1
        elif tag == "tr" and self._tables:
            self._end_cell()
            self._rows.append([])
        elif tag in ("td", "th") and self._tables:
            self._end_cell()
            if not self._rows:
                self._rows.append([])
            self._cell, self._span = [], _span(attributes)
        elif tag in _BLOCKS and not self._tables:
            self._end_line()

    def _end(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in ("td", "th"):
            self._end_cell(self._span)
        elif tag == "table" and self._tables:
            self._end_cell()
            self._tables -= 1
            if not self._tables:
                self._end_line()
                self._lines += _aligned(self._rows)
                self._rows = []
        elif tag in _BLOCKS and not self._tables:
            self._end_line()

    def _take(self, text: str) -> None:
        if self._hidden or not text:
            return
        if self._cell is not None:
            self._cell.append(_unescaped(text))
        elif not self._tables:
            self._words.append(_unescaped(text))

    def text(self) -> str:
        """What was read so far; a table that has no end counts."""
        self._end_cell()
        self._end_line()
        return re.sub(r"\n{3,}", "\n\n", "\n".join([*self._lines, *_aligned(self._rows)])).strip("\n")

    def _end_line(self) -> None:
        line = "".join(self._words)
        self._lines.append(line if "  " in line else re.sub(r"\s+", " ", line).strip())
        self._words = []

    def _end_cell(self, span: int = 1) -> None:
        """A cell that spans columns says its words in the first."""
        if self._cell is not None:
            self._rows[-1] += ["".join(self._cell), *[""] * (span - 1)]
            self._cell = None


def _unescaped(text: str) -> str:
    try:
        return html.unescape(text)
    except ValueError:  # The number of a character in thousands of digits.
        return text


def _span(attributes: str) -> int:
    found = _SPAN.search(attributes)
    return min(int(found[1]), _MOST_SPAN) if found is not None else 1


def _aligned(rows: list[list[str]]) -> list[str]:
    cleaned = [[re.sub(r"\s+", " ", cell).strip()[:_MOST_CELL_CHARS] for cell in row] for row in rows if row]
    widths: list[int] = []
    for row in cleaned:
        widths += [0] * (len(row) - len(widths))
        widths[: len(row)] = [max(width, len(cell)) for width, cell in zip(widths, row, strict=False)]
    # Rows are not filled up to the longest: a few long ones and many short ones would take all memory.
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=False)) for row in cleaned]
