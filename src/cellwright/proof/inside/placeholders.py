"""What stands in a table and is none of its values or rows: -999 for what was not measured, a row of totals, a note.

Runs inside a kernel, as source, on any table; pandas and the standard library only.
"""

import re
from typing import Any

_CODES = frozenset(sign * number for sign in (-1, 1) for number in (99, 999, 9999, 99999, 999999, 99.9, 999.9, 9999.9))
_NEGATIVE_CODES = _CODES | {-1, -9, -8, -7}
_NOTHING_IN_LETTERS = frozenset(("NA", "None"))
_NOTHING_IN_MARKS = frozenset(("?", "??", "-", "--", "---", ".", "..", "...", "*"))
_TOTAL = re.compile(
    r"\s*(?:(?:grand|sub) ?-?total|totals?|all|overall|sum|summe|gesamt|insgesamt|world|aggregates?)\s*:?\s*", re.I
)
_NOTE = re.compile(r"\s*(?:source|sources|note|notes|quelle|hinweis|footnote|\* )\b.*", re.I | re.S)
_LEAST = 8
_READERS = ("read_csv", "read_table", "read_excel")


def codes(series: Any) -> list[float]:
    """Numbers that stand for none: the lowest or highest of a column, written like a code, and far from all others."""
    if getattr(series.dtype, "kind", "") not in "iuf":
        return []
    left, found = series.dropna(), list[float]()
    while len(left) >= _LEAST:
        ends = [float(left.min()), float(left.max())]
        end = next((e for e, known in zip(ends, (_NEGATIVE_CODES, _CODES), strict=True) if e in known), None)
        others = left[left != end] if end is not None else left[:0]
        if end is None or len(others) < _LEAST or not _is_apart(end, others):
            break
        found.append(end)
        left = others
    return found


def _is_apart(value: float, others: Any) -> bool:
    low, high = float(others.min()), float(others.max())
    if value in (-1, -9, -8, -7):  # the only negative number, of a column with many others
        return low >= 0 and int(others.nunique()) >= 15
    width, far = high - low, 2 * max(abs(low), abs(high))
    return (low - value if value < low else value - high) > 0.5 * width and abs(value) > far


def no_rows(frame: Any) -> Any:
    """True for each row that is a total of others, or a note: by a label in its first columns of texts."""
    marked = [False] * len(frame)
    for name in _texts(frame)[:4]:
        totals = [value for value in frame[name].unique() if isinstance(value, str) and _TOTAL.fullmatch(value)]
        if totals:
            marked = [mark or hit for mark, hit in zip(marked, frame[name].isin(totals).tolist(), strict=True)]
    for at in range(max(0, len(frame) - 5), len(frame)):
        row = frame.iloc[at].dropna().tolist()
        is_note = any(isinstance(value, str) and _NOTE.fullmatch(value) for value in row[:2])
        marked[at] = marked[at] or (is_note and 2 * len(row) <= len(frame.columns))
    return marked


def _texts(frame: Any) -> list[Any]:
    """Columns of texts, by their first value; none where two columns have one name."""
    kinds = ("object", "str", "string")
    named = [name for name in frame.columns if str(frame[name].dtype) in kinds] if frame.columns.is_unique else []
    return [name for name in named if isinstance(next(iter(frame[name].dropna().head(1)), None), str)]


def letters_for_nothing(frame: Any, raw: Any) -> list[str]:
    """Columns of texts in which "NA" or "None" could be a name. `raw`: the same file, read with nothing taken for
    missing."""
    is_same = raw.columns.equals(frame.columns) and len(raw) == len(frame)
    return [name for name in _texts(frame) if is_same and raw[name].isin(_NOTHING_IN_LETTERS).any()]


def marks(series: Any) -> list[str]:
    """Texts such as "?" that stand for none, in a column of texts that has words or numbers too: "+" and "-" do not."""
    values = [value for value in series.unique() if isinstance(value, str)]
    found = [value for value in values if value.strip() in _NOTHING_IN_MARKS]
    return found if any(character.isalnum() for value in values for character in value) else []


def careful(reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, without the rows that are none, without numbers and marks that stand for none, with "NA" and
    "None" as names."""
    frame = reader(*given, **named)
    if not hasattr(frame, "columns") or not hasattr(frame, "iloc"):
        return frame
    says_what_is_missing = {"na_values", "keep_default_na", "na_filter", "chunksize"} & set(named)
    has_gaps = any(frame[name].isna().any() for name in _texts(frame))
    if has_gaps and getattr(reader, "__name__", "") in _READERS and not says_what_is_missing:
        raw = reader(*given, **named, keep_default_na=False, na_values=[""])
        for name in letters_for_nothing(frame, raw):
            frame[name] = frame[name].where(~raw[name].isin(_NOTHING_IN_LETTERS), raw[name])
    for name in _texts(frame):
        if found := marks(frame[name]):
            frame[name] = frame[name].mask(frame[name].isin(found))
    marked = no_rows(frame)
    if any(marked):
        frame = frame[[not mark for mark in marked]]
    for name in frame.columns if frame.columns.is_unique else ():
        missing = codes(frame[name])
        if missing and isinstance(name, str):
            frame = frame.assign(**{name: frame[name].mask(frame[name].isin(missing))})
    return frame


def one_spelling(exact: list[str], reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, with labels that differ in case or blanks written as the most frequent of them is; but for
    those that are meant exactly as they stand in `exact`."""
    frame = reader(*given, **named)
    meant = {label.strip().casefold() for label in exact}
    for name in _texts(frame) if hasattr(frame, "columns") else ():
        counts = frame[name].value_counts()
        spelt: dict[str, str] = {}
        for label in counts.index:
            if isinstance(label, str):
                spelt.setdefault(label.strip().casefold(), label)
        if len(spelt) < len(counts):
            labels = [label for label in counts.index if isinstance(label, str)]
            folds = {label: spelt[fold] for label in labels if (fold := label.strip().casefold()) not in meant}
            frame[name] = frame[name].map(lambda value, folds=folds: folds.get(value, value))
    return frame
