"""What stands in a table and is none of its values or rows: -999 for what was not measured, a row of totals, a note.

Runs inside a kernel, as source, on any table; pandas and the standard library only.
"""

import re
from typing import Any

_CODES = frozenset(sign * number for sign in (-1, 1) for number in (99, 999, 9999, 99999, 999999, 99.9, 999.9, 9999.9))
_NEGATIVE_CODES = _CODES | {-1, -9, -8, -7}
_NOTHING_IN_LETTERS = frozenset(("NA", "None"))
_TOTAL = re.compile(
    r"\s*(?:(?:grand|sub) ?-?total|totals?|all|overall|sum|summe|gesamt|insgesamt|world|aggregates?)\s*:?\s*", re.I
)
_NOTE = re.compile(r"\s*(?:source|sources|note|notes|quelle|hinweis|footnote|\* )\b.*", re.I | re.S)
_LEAST = 8
_READERS = ("read_csv", "read_table", "read_excel")


def codes(series: Any) -> list[float]:
    """Numbers that stand for none: the lowest or highest of a column, written like a code, and far from all others."""
    kind = getattr(series.dtype, "kind", "")
    if kind not in "iuf":
        return []
    counts = series.value_counts().sort_index()
    values = [float(value) for value in counts.index]
    found: list[float] = []
    while len(values) >= _LEAST and values[0] in _NEGATIVE_CODES and _is_apart(values[0], values[1:]):
        found.append(values.pop(0))
    while len(values) >= _LEAST and values[-1] in _CODES and _is_apart(values[-1], values[:-1]):
        found.append(values.pop())
    return found


def _is_apart(value: float, others: list[float]) -> bool:
    low, high = min(others), max(others)
    width = high - low
    if value in (-1, -9, -8, -7):  # the only negative number, of a column with many others
        return low >= 0 and len(others) >= 15
    return (low - value if value < low else value - high) > 0.5 * width and abs(value) > 2 * max(abs(low), abs(high))


def no_rows(frame: Any) -> Any:
    """True for each row that is a total of others, or a note: by a label in its first columns of texts."""
    marked = [False] * len(frame)
    texts = [name for name in frame.columns if str(frame[name].dtype) in ("object", "str", "string")]
    for name in texts[:4] if frame.columns.is_unique else ():
        for at, value in enumerate(frame[name].tolist()):
            if isinstance(value, str) and _TOTAL.fullmatch(value):
                marked[at] = True
    for at in range(max(0, len(frame) - 5), len(frame)):
        row = frame.iloc[at].dropna().tolist()
        is_note = any(isinstance(value, str) and _NOTE.fullmatch(value) for value in row[:2])
        marked[at] = marked[at] or (is_note and 2 * len(row) <= len(frame.columns))
    return marked


def letters_for_nothing(frame: Any, raw: Any) -> list[str]:
    """Columns of texts in which "NA" or "None" could be a name. `raw`: the same file, read with nothing taken for
    missing."""
    texts = [name for name in frame.columns if str(frame[name].dtype) in ("object", "str", "string")]
    same = frame.columns.is_unique and raw.columns.equals(frame.columns) and len(raw) == len(frame)
    return [name for name in texts if same and raw[name].isin(_NOTHING_IN_LETTERS).any()]


def careful(reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, without the rows that are none, without numbers that are codes, with "NA" and "None" as
    names."""
    frame = reader(*given, **named)
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        return frame
    says_what_is_missing = {"na_values", "keep_default_na", "na_filter", "chunksize"} & set(named)
    if getattr(reader, "__name__", "") in _READERS and not says_what_is_missing:
        raw = reader(*given, **named, keep_default_na=False, na_values=[""])
        for name in letters_for_nothing(frame, raw):
            frame[name] = frame[name].where(~raw[name].isin(_NOTHING_IN_LETTERS), raw[name])
    marked = no_rows(frame)
    if any(marked):
        frame = frame[[not mark for mark in marked]]
    for name in frame.columns if frame.columns.is_unique else ():
        missing = codes(frame[name])
        if missing:
            frame = (
                frame.assign(**{name: frame[name].mask(frame[name].isin(missing))}) if isinstance(name, str) else frame
            )
    return frame


def one_spelling(reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, with labels that differ in case or blanks written as the most frequent of them is."""
    frame = reader(*given, **named)
    for name in frame.columns if hasattr(frame, "columns") and frame.columns.is_unique else ():
        if str(frame[name].dtype) in ("object", "str", "string"):
            counts = frame[name].value_counts()
            spelt: dict[str, str] = {}
            for label in counts.index:
                if isinstance(label, str):
                    spelt.setdefault(label.strip().casefold(), label)
            if len(spelt) < len(counts):
                folds = {label: spelt[label.strip().casefold()] for label in counts.index if isinstance(label, str)}
                frame[name] = frame[name].map(lambda value, folds=folds: folds.get(value, value))
    return frame
