"""What a table is like, as a few short JSON texts: its columns, their kinds and values, what could be a key.

Runs inside a kernel, on tables that nobody has vouched for: names and values that could not stand in a program or a
sentence are left out here, everything is bounded, and whoever reads the texts checks them again.
"""

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

_MOST_COLUMNS = 40
_MOST_VALUES = 15
_LONGEST_NAME = 50
_LONGEST_LABEL = 40
_SKETCH = 64
_DATE_SAMPLE = 500
_MOST_SCANNED = 300_000
_QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_NEAR = 0.07
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}([ T]\d{2}:\d{2}(:\d{2})?)?")
_SAFE = re.compile(r"[^`\"'\\\n\r\t{}]+")
_LIKE_FIGURES = re.compile(r"[\s$€£¥+-]*\d[\d.,:/\s-]*[\s%$€£¥]*(?:AM|PM|am|pm)?")
"""Money, percentages, dates and times that are written as texts: no names of anything."""
_WORD = re.compile(r"[A-Za-z]{4,}")


def profile(frame: Any, raw: Any, known: Mapping[str, Callable[..., Any]]) -> list[str]:
    """JSON texts: the table first, then each of its columns. `raw`: the same with every value as the text that stands
    in the file, None where there is none. `known`: what `placeholders.py` defines."""
    if not hasattr(frame, "columns") or getattr(frame.columns, "nlevels", 1) != 1:
        return [json.dumps({"rows": 0, "columns": 0, "names": [], "row_numbers": False})]
    names = [name if isinstance(name, str) else None for name in frame.columns][:_MOST_COLUMNS]
    plain = getattr(frame.index, "name", None) is None and len(frame) > 0 and frame.index[0] == 0
    duplicated = int(frame.duplicated().sum()) if frame.size <= 2_000_000 and _hashable(frame) else -1
    table = {
        "rows": len(frame),
        "columns": len(frame.columns),
        "names": [name for name in names if name is not None and len(name) <= _LONGEST_NAME],
        "row_numbers": bool(plain),
        "duplicated": duplicated,
        "no_rows": sum(known["no_rows"](frame)),
        "like_values": sum(_is_like_a_value(name, frame[name]) for name in names if (frame.columns == name).sum() == 1),
    }
    usable = [name for name in dict.fromkeys(names) if name is not None and _is_safe(name, _LONGEST_NAME)]
    texts = [json.dumps(table)]
    unclear = set(known["letters_for_nothing"](frame, raw)) if raw is not None else set()
    for name in usable:
        if (frame.columns == name).sum() == 1:
            column = _column(name, frame[name])
            has_none = bool(known["codes"](frame[name]) or known["marks"](frame[name]))
            if name in unclear or has_none or _is_written_as_name(name, frame[name], raw):
                column = {"name": name, "kind": "other", "missing": column["missing"]}
            texts.append(json.dumps(column, allow_nan=False))
    return texts


def _is_written_as_name(name: str, series: Any, raw: Any) -> bool:
    """Whether whole numbers are written with zeros before them, as codes are, or as times of the day, such as 1435."""
    if getattr(series.dtype, "kind", "") not in "iu" or len(series) == 0:
        return False
    if raw is not None and name in raw.columns and bool(raw[name].str.match(r"0\d", na=False).any()):
        return True
    is_clock = bool((series % 100 < 60).all()) and int(series.min()) >= 0 and 1000 <= int(series.max()) <= 2400
    return is_clock and int(series.nunique()) > 60


def _is_like_a_value(name: Any, series: Any) -> bool:
    """Whether a column has its own name as a value: then the file's first row is no header."""
    return isinstance(name, str) and str(series.dtype) in ("object", "str", "string") and bool((series == name).any())


def _hashable(frame: Any) -> bool:
    return not any(isinstance(value, (list, dict, set)) for value in frame.head(3).to_numpy().ravel().tolist())


def _is_safe(text: str, longest: int) -> bool:
    return bool(text.strip()) and text == text.strip() and len(text) <= longest and bool(_SAFE.fullmatch(text))


def _column(name: str, series: Any) -> dict[str, Any]:
    base: dict[str, Any] = {"name": name, "kind": "other", "missing": int(series.isna().sum())}
    present = series.dropna()
    if len(present) == 0:
        return base
    try:
        base["distinct"] = int(present.nunique())
    except TypeError:  # lists or dictionaries as values
        return base
    kind = str(series.dtype)
    if kind == "bool":
        return {**base, "kind": "boolean", **_labels(present)}
    if kind.startswith(("int", "uint", "float", "Int", "Float")):
        return {**base, **_number(present, base["distinct"], len(series))}
    if kind.startswith("datetime64"):
        return {**base, "kind": "date", "parsed": True, **_dates(present)}
    if all(isinstance(value, str) for value in present.head(_DATE_SAMPLE)):
        return {**base, **_text(present, base["distinct"], len(series))}
    return base


# --- numbers ----------------------------------------------------------------------------------------------


def _number(present: Any, distinct: int, rows: int) -> dict[str, Any]:
    low, high = float(present.min()), float(present.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        return {"kind": "other"}
    whole = bool((present % 1 == 0).all())
    found: dict[str, Any] = {"whole": whole, "low": low, "high": high, "mean": float(present.mean())}
    # Numbers that tell rows apart are dense or in order; areas and sums of money may all differ too, but are neither.
    numbering = high - low < 3 * distinct or bool(present.is_monotonic_increasing)
    if whole and distinct == len(present) and distinct > 20 and numbering:
        return {**found, "kind": "id", "sketch": _sketch(present)}
    few = distinct <= 31 and len(present) >= 4 * distinct
    years = low >= 1500 and high <= 2200 and distinct <= 150 and len(present) >= 3 * distinct
    if whole and (few or years):
        return {**found, "kind": "code", **_labels(present), "sketch": _sketch(present)}
    found["cuts"] = _cuts(present)
    found["skewed"] = bool(abs(float(present.median()) - found["mean"]) > float(present.std() or 0.0))
    found["sketch"] = _sketch(present) if whole else []
    return {**found, "kind": "number"}


def _cuts(present: Any) -> list[list[float]]:
    """Round values of the column near its quantiles: [value, share of rows below, share of rows above]."""
    ordered = present.sort_values().to_numpy()
    total = len(ordered)
    found: dict[float, list[float]] = {}
    for quantile in _QUANTILES:
        low, high = int(max(0.0, quantile - _NEAR) * (total - 1)), int(min(1.0, quantile + _NEAR) * (total - 1))
        near = ordered[low : high + 1 : max(1, (high - low) // 400)]
        best = min(
            (float(value) for value in near), key=lambda value: (_digits(value), abs(value - near[len(near) // 2]))
        )
        below = float((ordered < best).mean())
        above = float((ordered > best).mean())
        if _digits(best) <= 3 and 0.05 <= below <= 0.95 and 0.05 <= above <= 0.95:
            found[best] = [best, round(below, 4), round(above, 4)]
    return list(found.values())


def _digits(value: float) -> int:
    """Significant digits: 1 for 300, 2 for 2.5."""
    return len(f"{abs(value):.10g}".partition("e")[0].replace(".", "").strip("0")) or 1


# --- labels, texts, dates ----------------------------------------------------------------------------------


def _labels(present: Any) -> dict[str, Any]:
    """The most frequent values that could stand in a sentence, with their counts."""
    counts = present.value_counts()
    values: list[list[Any]] = []
    for label, count in counts.head(_MOST_VALUES).items():
        plain = label.item() if hasattr(label, "item") else label
        if isinstance(plain, float) and plain.is_integer():
            plain = int(plain)
        if not isinstance(plain, str) or _is_safe(plain, _LONGEST_LABEL):
            values.append([plain, int(count)])
    return {"values": values, "least": int(counts.min())}


def _text(present: Any, distinct: int, rows: int) -> dict[str, Any]:
    lengths = present.str.len()
    if _ISO_DATE.fullmatch(str(present.iloc[0])) and present.head(_MOST_SCANNED).str.fullmatch(_ISO_DATE.pattern).all():
        return {"kind": "date", "parsed": False, **_dates(_parsed(present))}
    found: dict[str, Any] = {"longest": int(lengths.max()), "sketch": _sketch(present)}
    if distinct <= min(60, len(present) / 3) and found["longest"] <= _LONGEST_LABEL:
        folded = present.str.strip().str.casefold().nunique()
        return {**found, "kind": "category", "dirty": bool(folded < distinct), **_labels(present)}
    found["words"] = _words(present)
    written = present.head(_DATE_SAMPLE).str.fullmatch(_LIKE_FIGURES.pattern).mean()
    named = distinct >= 0.9 * len(present) and found["longest"] <= 60 and written < 0.5
    return {**found, "kind": "name" if named else "text", "dirty": bool((present != present.str.strip()).any())}


def _words(present: Any) -> list[list[Any]]:
    """Words that a good part of the texts contain: [word, share of texts]."""
    sample = present.iloc[:: max(1, len(present) // 2000)]
    counts: dict[str, int] = {}
    for text in sample:
        for word in set(_WORD.findall(text[:300])):
            counts[word] = counts.get(word, 0) + 1
    shares = {word: round(count / len(sample), 4) for word, count in counts.items()}
    common = [word for word, share in shares.items() if 0.03 <= share <= 0.9]
    return [[word, shares[word]] for word in sorted(common, key=lambda word: (-shares[word], word))[:8]]


def _parsed(present: Any) -> Any:
    import pandas as pd  # noqa: PLC0415 - in the kernel only

    return pd.to_datetime(present, errors="coerce").dropna()


def _dates(moments: Any) -> dict[str, Any]:
    if len(moments) == 0:
        return {"kind": "other"}
    moments = moments.dt.tz_localize(None) if moments.dt.tz is not None else moments
    days = moments.dt.normalize()
    return {
        "first": days.min().date().isoformat(),
        "last": days.max().date().isoformat(),
        "days": int(days.nunique()),
        "years": int(moments.dt.year.nunique()),
        "months": int(moments.dt.month.nunique()),
        "weekdays": int(moments.dt.dayofweek.nunique()),
        "hours": int(moments.dt.hour.nunique()),
        "ordered": bool(moments.is_monotonic_increasing),
        "unique": bool(moments.is_unique),
    }


def _sketch(present: Any) -> list[int]:
    """The smallest hashes of the distinct values: how far two columns overlap can be told from two of these."""
    hashes = {
        int.from_bytes(hashlib.blake2b(_key(value).encode("utf-8", "replace"), digest_size=6).digest(), "big")
        for value in present.drop_duplicates().head(_MOST_SCANNED).tolist()
    }
    return sorted(hashes)[:_SKETCH]


def _key(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
