"""Readings of how a table is loaded: what a reader of the file must know beside its name."""

from collections.abc import Callable

from cellwright.proof.questions import wording
from cellwright.proof.questions.symbols import Arguments, Constant, Evaluator, Frame, Symbol, Unreadable

_READERS = {"read_csv", "read_table", "read_excel", "read_json", "read_parquet", "read_pickle", "read_feather"}
# How the file is written; anyone who opens it sees that, or it does not change values.
_PLAIN = ("sep", "delimiter", "encoding", "engine", "low_memory", "quotechar", "thousands", "decimal", "parse_dates",
          "delim_whitespace", "skipinitialspace", "memory_map", "lines", "dtype_backend", "comment",
          "infer_datetime_format", "escapechar", "quoting")  # fmt: skip


def load(name: str) -> Callable[[Arguments, Evaluator], Symbol] | None:
    """The reading of a pandas function that loads a file."""
    return _load if name in _READERS else None


def _load(arguments: Arguments, _: Evaluator) -> Frame:
    path = arguments.take("filepath_or_buffer", 0)
    for key in ("io", "path_or_buf", "path"):
        path = path or arguments.take(key)
    if not isinstance(path, Constant) or not isinstance(path.value, str):
        raise Unreadable("file known only at run time")
    table = path.value.replace("\\", "/").rpartition("/")[2]
    arguments.ignore(*_PLAIN)
    clauses = _clauses(arguments)
    frame = Frame((table,), (f"read {wording.name(table)} {', '.join(clauses)}",) if clauses else ())
    return _indexed(frame, arguments)


def _clauses(arguments: Arguments) -> list[str]:
    clauses: list[str] = []
    sheet = arguments.take("sheet_name", 1 if arguments.call.endswith("excel") else None)
    if isinstance(sheet, Constant) and isinstance(sheet.value, (str, int)):
        named = f"named {wording.value(sheet.value)}" if isinstance(sheet.value, str) else f"number {sheet.value + 1}"
        clauses.append(f"from the sheet {named}")
    if (skipped := arguments.constant("skiprows", None)) is not None:
        if not isinstance(skipped, int) or skipped < 1:
            raise Unreadable("skipped lines of a file")
        clauses.append("skipping its first line" if skipped == 1 else f"skipping its first {skipped} lines")
    header, names = arguments.constant("header", None, "infer"), arguments.constant("names", None)
    if names is not None:
        listed = wording.listing([wording.name(name) for name in names])
        first = "as a file without a header row" if header in (None, "infer") else "replacing its header row"
        clauses.append(f"{first}, with the columns named, in order, {listed}")
    elif header not in ("infer", 0):
        raise Unreadable("file without column names")
    if (rows := arguments.constant("nrows", None)) is not None:
        clauses.append(f"only as far as its first {rows} data rows")
    if (form := arguments.constant("date_format", None)) is not None:
        clauses.append(f"with dates in the format {form}")
    if arguments.constant("on_bad_lines", None, "error") != "error":
        clauses.append("leaving out lines that have too many fields")
    if (columns := arguments.constant("usecols", None)) is not None:
        if not all(isinstance(name, str) for name in columns):
            raise Unreadable("columns of a file by their place")
        listed = wording.listing([wording.name(name) for name in columns])
        clauses.append(f"with only the columns {listed}")
    if (missing := arguments.constant("na_values", None)) is not None:
        values = missing if isinstance(missing, list) else [missing]
        clauses.append(f"taking {wording.listing([wording.value(item) for item in values], 'or')} as a missing value")
    if (footer := arguments.constant("skipfooter", None, 0)) != 0:
        if not isinstance(footer, int):
            raise Unreadable("skipped lines of a file")
        clauses.append(f"leaving out its last {footer} {'line' if footer == 1 else 'lines'}")
    for key in ("converters", "dtype"):
        if (converted := arguments.take(key)) is not None:
            clauses += _conversions(converted, key)
    return clauses


_CONVERSIONS = {
    "datetime64": "dates",
    "to_datetime": "dates",
    "str": "texts",
    "object": "texts",
    "int": "whole numbers",
}
_NUMBERS = ("float", "float64", "float32", "category")
"""Kinds that change no value of a column that holds numbers, or labels."""


def _conversions(converted: Symbol, argument: str) -> list[str]:
    """`converters={"a": np.datetime64}`, `dtype={"a": str}`: columns that are read as a kind."""
    names = converted.value if isinstance(converted, Constant) else None
    if not isinstance(names, dict) or not all(kind in (*_CONVERSIONS, *_NUMBERS) for kind in names.values()):
        raise Unreadable(f"argument {argument} of read_csv()")
    told = [(name, _CONVERSIONS[kind]) for name, kind in names.items() if kind in _CONVERSIONS]
    return [f"with {wording.name(name)} read as {kind}" for name, kind in told]


def _indexed(frame: Frame, arguments: Arguments) -> Frame:
    index = arguments.constant("index_col", None)
    if index is None or index is False:
        return frame
    if isinstance(index, str):
        return Frame(frame.tables, frame.steps, index=(index,))
    if index == 0:
        return frame.then(f"take the first column of {wording.name(frame.tables[0])} as row labels, not as a column")
    raise Unreadable("several columns as row labels")
