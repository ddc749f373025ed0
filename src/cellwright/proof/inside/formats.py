"""Files of tables as columns of values, to be changed and written again as they were: same text, dialect, sheets.

A text table keeps every field as it is written, quotes and blanks included, and every line that is no row of it (what
stands before the header, comments, footers) where it is. Nothing here guesses at a file that it does not know:
`open_table` raises ValueError, with the reason in words.
"""

import bz2
import gzip
import io
import json
import lzma
import pickle
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Values: TypeAlias = list[Any]

_MISSING_TEXTS = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-", "#n/a", "nat", "<na>"))
_SEPARATORS = (",", ";", "\t", "|", "::")
_BLANKS = "blanks"
_BLANK_FIELDS = re.compile(r'"[^"]*"|\S+')
_PACKERS: dict[str, tuple[Callable[[bytes], bytes], Callable[[bytes], bytes]]] = {
    ".gz": (gzip.decompress, gzip.compress),
    ".bz2": (bz2.decompress, bz2.compress),
    ".xz": (lzma.decompress, lzma.compress),
}
_SNIFFED_ROWS = 200
_MAX_FILE_BYTES, _MAX_UNPACKED_BYTES = 64 << 20, 256 << 20


class Grid:
    """Rows of named columns. `origin` says which row of the file each row was."""

    def __init__(self, columns: dict[str, Values], size: int, skipped: frozenset[int] = frozenset()) -> None:
        self.columns = columns
        self.origin = list(range(size))
        self.skipped = skipped
        """Origins of lines that are no rows: they stay where they are, as they are."""
        self.changed: set[str] = set()
        self.blank: str | None = None
        """What stands where a value is missing."""

    @property
    def size(self) -> int:
        return len(self.origin)

    def rows(self) -> list[int]:
        """Positions of what are rows."""
        return [at for at, row in enumerate(self.origin) if row not in self.skipped]

    def take(self, positions: Sequence[int]) -> None:
        """These rows, in this order; one may come twice."""
        self.origin = [self.origin[at] for at in positions]
        self.columns = {name: [values[at] for at in positions] for name, values in self.columns.items()}

    def put(self, name: str, values: Values) -> None:
        """A column's new values."""
        self.columns[name] = values
        self.changed.add(name)

    def copy(self) -> "Grid":
        """Another grid with the same rows; columns are shared until one is put."""
        twin = Grid(dict(self.columns), 0, self.skipped)
        twin.origin = list(self.origin)
        twin.changed, twin.blank = set(self.changed), self.blank
        return twin


class Table:
    """A file of one or more grids, and how to write it."""

    def __init__(self, grids: list[Grid], write: Callable[[list[Grid], Path], None]) -> None:
        self.grids = grids
        self._write = write

    def copy(self) -> "Table":
        return Table([grid.copy() for grid in self.grids], self._write)

    def write(self, path: Path) -> None:
        """Write the file; `path` has the file's own name, so that its suffix tells its form."""
        self._write(self.grids, path)


def is_missing(value: Any) -> bool:
    """Whether a value, or a field as it is written, stands for none."""
    if value is None:
        return True
    if isinstance(value, str):
        return bare(value).lower() in _MISSING_TEXTS
    try:
        return bool(value != value)  # noqa: PLR0124 - NaN and NaT
    except (TypeError, ValueError):
        return True


def bare(text: str) -> str:
    """A field without blanks around it and without its quotes."""
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text


def open_table(path: Path, hint: dict[str, Any]) -> Table:
    """A table file as grids. `hint`: what the program that reads it says of it (separator, header, names, …)."""
    if path.stat().st_size > _MAX_FILE_BYTES:
        raise ValueError(f"over {_MAX_FILE_BYTES >> 20} MB")
    name = path.name.lower()
    packed = next((suffix for suffix in (*_PACKERS, ".zip") if name.endswith(suffix)), "")
    inner = Path(name.removesuffix(packed)).suffix
    function = hint.get("function", "")
    if function == "read_pickle" or (not function and inner in (".pkl", ".pickle")):
        return _frame_table(_unpickled(path, packed), _write_pickle)
    if function == "read_parquet" or inner == ".parquet":
        return _frame_table(_pandas().read_parquet(path), lambda frame, to: frame.to_parquet(to))
    if function == "read_feather" or inner in (".feather", ".arrow"):
        return _frame_table(_pandas().read_feather(path), lambda frame, to: frame.reset_index(drop=True).to_feather(to))
    if function == "read_excel" or inner in (".xlsx", ".xls", ".xlsm"):
        return _book(path, hint)
    data, pack = _unpacked(path, packed)
    if function == "read_json" or inner in (".json", ".jsonl", ".ndjson"):
        return _records(data, pack)
    if inner in (".html", ".xml", ".h5", ".db", ".sqlite", ".dta", ".sas7bdat", ".npy", ".npz", ".mat", ".png", ".jpg"):
        raise ValueError(f"a {inner} file is not changed")
    return _text(data, pack, hint)


def _pandas() -> Any:
    import pandas  # noqa: PLC0415 - the kernel's, where it has one

    return pandas


# --- compression -------------------------------------------------------------------------------------

Pack: TypeAlias = Callable[[bytes, Path], None]


def _unpacked(path: Path, packed: str) -> tuple[bytes, Pack]:
    data = path.read_bytes()
    if not packed:
        return data, lambda content, to: _whole(to, content)
    if packed in _PACKERS:
        unpack, pack = _PACKERS[packed]
        return _bounded(unpack(data)), lambda content, to: _whole(to, pack(content))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [info for info in archive.infolist() if not info.is_dir()]
        if len(members) != 1 or members[0].file_size > _MAX_UNPACKED_BYTES:
            raise ValueError("a zip of several files, or of a very large one, is not changed")
        content, member = archive.read(members[0]), members[0].filename

    def zipped(new: bytes, to: Path) -> None:
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(zipfile.ZipInfo(member), new, zipfile.ZIP_DEFLATED)

    return _bounded(content), zipped


def _bounded(data: bytes) -> bytes:
    if len(data) > _MAX_UNPACKED_BYTES:
        raise ValueError("too large when unpacked")
    return data


def _whole(path: Path, content: bytes) -> None:
    path.write_bytes(content)


# --- text --------------------------------------------------------------------------------------------


def _text(data: bytes, pack: Pack, hint: dict[str, Any]) -> Table:
    text, encoding = _decoded(data, hint.get("encoding"))
    lines = _lines(text)
    separator = _separator(lines, hint)
    split = _splitter(separator)
    first = hint.get("skiprows") or 0
    skipped_lines = set(hint.get("skipped") or ())
    # pandas takes a line that begins with "#" for a row, unless it is told otherwise.
    comment = hint.get("comment") or ("" if hint.get("function") else "#")
    fields = [
        None if n < first or n in skipped_lines or _is_aside(line, comment) else split(line)
        for n, line in enumerate(lines)
    ]
    counts = Counter(len(row) for row in fields[: first + _SNIFFED_ROWS] if row is not None)
    if not counts:
        raise ValueError("the file has no rows")
    header_at, names = _header(fields, hint, counts)
    width = _width(counts, len(names) if names else 0)
    if names is None:
        names = [str(number) for number in range(width)]
    if len(names) < width:  # an index column without a name in the header
        names = [f"column {number}" for number in range(width - len(names))] + names
    if len(set(names)) != len(names):
        names = [f"{name}.{number}" if names.index(name) != number else name for number, name in enumerate(names)]
    body = fields[header_at + 1 :]
    skipped = frozenset(n for n, row in enumerate(body) if row is None or len(row) != width)
    if len(body) == len(skipped):
        raise ValueError("the file has no rows")
    empty = [None] * width
    regular = [empty if n in skipped or row is None else row for n, row in enumerate(body)]
    columns = {name: list(values) for name, values in zip(names, zip(*regular, strict=True), strict=False)}
    grid = Grid(columns, len(body), skipped)
    grid.blank = "NaN" if separator == _BLANKS else ""
    head, tail = lines[: header_at + 1], lines[header_at + 1 :]
    return Table([grid], _TextWriter(head, tail, " " if separator == _BLANKS else separator, encoding, pack))


class _TextWriter:
    """Writes a text table: head and lines that are no rows as they were, the rest joined again."""

    def __init__(self, head: list[str], lines: list[str], separator: str, encoding: str, pack: Pack) -> None:
        self._head, self._lines, self._separator = head, lines, separator
        self._encoding, self._pack = encoding, pack

    def __call__(self, grids: list[Grid], path: Path) -> None:
        (grid,) = grids
        end = next((line[len(line.rstrip("\r\n")) :] for line in self._lines if line.endswith(("\n", "\r"))), "\n")
        names = list(grid.columns)
        rows = zip(*grid.columns.values(), strict=True)
        head = list(self._head)
        extra = [name for name in grid.changed if name.startswith(ADDED)]
        if extra and head:
            head[-1] = head[-1].rstrip("\r\n") + "".join(self._separator + name for name in extra) + end
        out = [
            self._lines[origin].rstrip("\r\n")
            if origin in grid.skipped
            else self._separator.join("" if value is None else str(value) for value in row)
            for origin, row in zip(grid.origin, rows, strict=True)
        ]
        assert len(names) >= 1
        self._pack(("".join(head) + end.join([*out, ""])).encode(self._encoding), path)


ADDED = "added column "
"""How the names of columns begin that a change has added."""


def _decoded(data: bytes, encoding: str | None) -> tuple[str, str]:
    wanted = [encoding] if encoding else ["utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "utf-8", "latin-1"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        wanted = ["utf-16"]
    for name in wanted:
        try:
            text = data.decode(name)
        except (UnicodeDecodeError, LookupError):
            continue
        if "\x00" in text:
            break
        return text, name
    raise ValueError("the file is no text")


def _lines(text: str) -> list[str]:
    """Lines with their ends; a line break inside of quotes does not end one."""
    lines: list[str] = []
    for line in io.StringIO(text, newline=""):  # not at the other signs that Python takes for ends, such as "\x85"
        if lines and lines[-1].count('"') % 2:
            lines[-1] += line
        else:
            lines.append(line)
    if len(lines) > 1 and len(lines[-1]) > 1 << 16:
        raise ValueError("quotes that do not close")
    return lines


def _is_aside(line: str, comment: str) -> bool:
    return not line.strip() or (bool(comment) and line.startswith(comment))


def _separator(lines: Sequence[str], hint: dict[str, Any]) -> str:
    told = hint.get("sep")
    if told in (r"\s+", r"\s*", " +", "[ ]+") or hint.get("blanks"):
        return _BLANKS
    if told:
        if len(told) > 1 and told not in _SEPARATORS:
            raise ValueError(f"separated by the pattern {told!r}")
        return str(told)
    if hint.get("function") == "read_csv" and "sep" not in hint:
        return ","
    if hint.get("function") == "read_fwf":
        raise ValueError("a table of fixed widths is not changed")
    sample = [line for line in lines[:_SNIFFED_ROWS] if line.strip()]
    best, score = ",", 0.0
    for separator in (*_SEPARATORS, _BLANKS):
        split = _splitter(separator)
        width, times = Counter(len(split(line)) for line in sample).most_common(1)[0] if sample else (1, 0)
        share = times / max(1, len(sample))
        if width > 1 and share > max(score, 0.6) + 1e-9:
            best, score = separator, share
    return best


def _splitter(separator: str) -> Callable[[str], list[str]]:
    if separator == _BLANKS:
        return _BLANK_FIELDS.findall
    quoted = re.compile(
        rf'((?:\s*"(?:[^"]|"")*"[^{re.escape(separator)}]*|[^{re.escape(separator)}]*))(?:{re.escape(separator)}|$)'
    )

    def split(line: str) -> list[str]:
        line = line.rstrip("\r\n")
        if '"' not in line or len(separator) > 1:
            return line.split(separator)
        fields, at = [], 0
        while True:
            found = quoted.match(line, at)
            if found is None:
                return line.split(separator)
            fields.append(found[1])
            if found.end(1) >= len(line):
                return fields
            at = found.end()
            if at >= len(line):  # the line ends in a separator
                return [*fields, ""]

    return split


def _width(counts: Counter[int], named: int) -> int:
    """Fields of a row: as many as most rows have."""
    width, _ = max(counts.items(), key=lambda pair: (pair[1], pair[0]))
    return max(width, 1) if named <= width else width


def _header(
    fields: Sequence[list[str] | None], hint: dict[str, Any], counts: Counter[int]
) -> tuple[int, list[str] | None]:
    """The line that the header is on (-1 where there is none, at the last line before the rows) and the names."""
    present = [number for number, row in enumerate(fields) if row is not None]
    told = hint.get("names")
    if ("header" in hint and hint["header"] is None) or (told and "header" not in hint):
        return present[0] - 1, list(told) if told else None
    at = hint["header"] if isinstance(hint.get("header"), int) else 0
    if at >= len(present):
        raise ValueError("the file ends before its header")
    if "header" not in hint and not hint.get("function"):
        width = _width(counts, 0)
        at = next((n for n, line in enumerate(present) if len(fields[line] or ()) in (width, width - 1)), 0)
    row = fields[present[at]] or []
    return present[at], list(told) if told else [bare(name) for name in row]


# --- frames, books, records --------------------------------------------------------------------------


def _unpickled(path: Path, packed: str) -> Any:
    data, _ = _unpacked(path, packed)
    found = pickle.loads(data)
    if not hasattr(found, "iloc") or not (hasattr(found, "columns") or hasattr(found, "name")):
        raise ValueError(f"a pickled {type(found).__name__} is not changed")
    return found


def _write_pickle(frame: Any, path: Path) -> None:
    frame.to_pickle(path)


def _frame_table(frame: Any, write: Callable[[Any, Path], None]) -> Table:
    series = not hasattr(frame, "columns")
    whole = frame.to_frame() if series else frame
    if len(set(map(str, whole.columns))) != len(whole.columns):
        raise ValueError("two columns of one name")
    names = {str(name): name for name in whole.columns}
    grid = Grid({text: whole[name].tolist() for text, name in names.items()}, len(whole))

    def written(grids: list[Grid], path: Path) -> None:
        (found,) = grids
        out = whole.iloc[found.origin].copy()
        if isinstance(out.index, _pandas().RangeIndex) or isinstance(whole.index, _pandas().RangeIndex):
            out = out.reset_index(drop=True)  # numbers of rows go with places, not with rows
        for text in sorted(found.changed):
            values = found.columns[text]
            if text in names:
                values = _pandas().Series(values, index=out.index, dtype=_dtype_for(values, whole[names[text]].dtype))
            out[names.get(text, text)] = values
        write(out.iloc[:, 0] if series else out, path)

    return Table([grid], written)


def _dtype_for(values: Values, dtype: Any) -> Any:
    """The type of a column, with labels that it has not known so far."""
    if not hasattr(dtype, "categories"):
        return dtype
    known = list(dtype.categories)
    new = [value for value in dict.fromkeys(values) if not is_missing(value) and value not in known]
    return _pandas().CategoricalDtype([*known, *new], dtype.ordered)


def _book(path: Path, hint: dict[str, Any]) -> Table:
    pandas = _pandas()
    old_form = path.read_bytes()[:4] == b"\xd0\xcf\x11\xe0"
    engine = "xlrd" if old_form else "openpyxl"
    sheets = pandas.read_excel(path, sheet_name=None, header=None, dtype=object, engine=engine)
    grids: list[Grid] = []
    heads: list[list[list[Any]]] = []
    for frame in sheets.values():
        rows = [[None if is_missing(v) and not isinstance(v, str) else v for v in row] for row in frame.values.tolist()]
        skipped = set(hint.get("skipped") or ())
        read = [n for n in range(hint.get("skiprows") or 0, len(rows)) if n not in skipped]
        header = hint.get("header") or 0
        has_header = ("header" not in hint or hint["header"] is not None) and header < len(read)
        at = read[header] if has_header else -1
        width = len(rows[0]) if rows else 0
        names = (
            [str(v) if v is not None else f"column {n}" for n, v in enumerate(rows[at])] if 0 <= at < len(rows) else []
        )
        names = names if len(set(names)) == width else [str(n) for n in range(width)]
        body = rows[at + 1 :]
        heads.append(rows[: at + 1])
        no_rows = frozenset(n - at - 1 for n in skipped if at < n < len(rows))
        grids.append(Grid({name: [row[n] for row in body] for n, name in enumerate(names)}, len(body), no_rows))

    def write(found: list[Grid], to: Path) -> None:
        # pandas reads a book by its content, so that a changed .xls may hold what an .xlsx does.
        with io.BytesIO() as buffer:
            with pandas.ExcelWriter(buffer, engine="openpyxl") as writer:
                for sheet, head, grid in zip(sheets, heads, found, strict=True):
                    extra = [name for name in grid.changed if name.startswith(ADDED)]
                    top = [*head[:-1], [*head[-1], *extra]] if head and extra else head
                    rows = [*top, *map(list, zip(*grid.columns.values(), strict=True))]
                    pandas.DataFrame(rows, dtype=object).to_excel(writer, sheet_name=sheet, header=False, index=False)
            to.write_bytes(buffer.getvalue())

    return Table(grids, write)


def _records(data: bytes, pack: Pack) -> Table:
    text, encoding = _decoded(data, None)
    lines = False
    try:
        content = json.loads(text)
    except ValueError:
        content, lines = [json.loads(line) for line in text.split("\n") if line.strip()], True
    if isinstance(content, dict) and content and all(isinstance(item, dict) for item in content.values()):
        return _by_column(content, encoding, pack)
    if not isinstance(content, list) or not content or not all(isinstance(row, dict) for row in content):
        raise ValueError("JSON that is no list of records is not changed")
    names = list(dict.fromkeys(key for row in content for key in row))
    grid = Grid({name: [row.get(name) for row in content] for name in names}, len(content))

    def write(grids: list[Grid], path: Path) -> None:
        (found,) = grids
        rows = [
            {
                name: value
                for name, value in zip(found.columns, row, strict=True)
                if value is not None or name in content[origin]
            }
            for origin, row in zip(found.origin, zip(*found.columns.values(), strict=True), strict=True)
        ]
        told = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows) if lines else json.dumps(rows)
        pack(told.encode(encoding), path)

    return Table([grid], write)


def _by_column(content: dict[str, dict[str, Any]], encoding: str, pack: Pack) -> Table:
    """pandas' own form: column to row label to value."""
    labels = list(next(iter(content.values())))
    if any(list(column) != labels for column in content.values()):
        raise ValueError("JSON of columns with unlike rows is not changed")
    grid = Grid({name: list(column.values()) for name, column in content.items()}, len(labels))

    def write(grids: list[Grid], path: Path) -> None:
        (found,) = grids
        twice = len(set(found.origin)) != len(found.origin)
        keys = [str(n) if twice else labels[origin] for n, origin in enumerate(found.origin)]
        told = {name: dict(zip(keys, values, strict=True)) for name, values in found.columns.items()}
        pack(json.dumps(told).encode(encoding), path)

    return Table([grid], write)
