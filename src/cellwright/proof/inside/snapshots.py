"""Values as JSON, exact enough to tell two runs apart: numbers with all digits, tables with their labels.

Large values keep a digest and no content, so that they can be compared but not shown. What `t` does not tell of a kind,
but whoever sees the value would, stands under `exact`: that a list is a tuple, an array's type, names of columns. It is
for slices; answers know nothing of it (`values.plain`).
"""

import datetime
import hashlib
import json
import math
import numbers
import re
from collections.abc import Iterable
from typing import Any

_MAX_ITEMS = 300
_MAX_CELLS = 3000
_MAX_TEXT = 20_000
_MAX_DEPTH = 6
# The type that is meant where a snapshot says no more than its `t`.
_USUAL: dict[str, tuple[type, ...]] = {
    "null": (type(None),),
    "bool": (bool,),
    "str": (str,),
    "int": (int,),
    "float": (float,),
    "date": (datetime.datetime, datetime.date),
    "duration": (datetime.timedelta,),
    "list": (list,),
    "set": (set,),
    "map": (dict,),
    "other": (),
}
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}")
# What is shown as a picture or a page, whatever its text says.
_DRAWN = ("_repr_html_", "_repr_png_", "_repr_svg_", "_repr_mimebundle_")
_DRAWERS = ("matplotlib", "seaborn", "plotly", "bokeh", "altair")


def snapshot(value: Any, depth: int = 0) -> dict[str, Any]:
    """One value as a JSON-able dictionary whose `t` names its kind. Never raises: what cannot be read is `other`."""
    try:
        if depth > _MAX_DEPTH:
            return _other(value)
        found = _plain(value) or _library(value, depth) or _container(value, depth)
        return {**found, **_exact(value, found)} if found is not None else _other(value)
    except Exception as error:  # noqa: BLE001 - a value's own methods may fail in any way
        return {"t": "other", "type": type(value).__name__, "error": type(error).__name__}


def _exact(value: Any, found: dict[str, Any]) -> dict[str, Any]:
    """What there is to say of a value's kind beside its `t`, under `exact`; nothing where that is the usual one."""
    exact: dict[str, Any] = dict(found.get("exact", ()))
    if type(value) not in _USUAL.get(found["t"], ()):
        exact["type"] = _type_name(type(value))
    elif "digest" not in found:
        return {}
    module = type(value).__module__.partition(".")[0]
    if module == "numpy" and hasattr(value, "dtype"):
        exact["dtype"] = str(value.dtype)
    elif module == "pandas":
        exact |= (_exact_frame if hasattr(value, "columns") else _exact_labelled)(value, "digest" in found)
    elif "digest" in found and isinstance(value, (list, tuple, set, frozenset, dict)):
        exact["kinds"] = _kinds(value)
    return {"exact": exact} if exact else {}


def _exact_labelled(value: Any, is_large: bool) -> dict[str, Any]:
    """Of a series, an index or an array of pandas."""
    exact: dict[str, Any] = {}
    if hasattr(value, "dtype"):
        exact = {"dtype": str(value.dtype), **_categories(value.dtype)}
        if is_large and value.dtype == "object":
            exact["kinds"] = _kinds_in(value)
    if hasattr(value, "names"):
        exact["names"] = _texts(value.names)
    index = value.index if hasattr(value, "index") else value
    if getattr(index, "freq", None) is not None:
        exact["freq"] = str(index.freq)
    return exact


def _exact_frame(value: Any, is_large: bool) -> dict[str, Any]:
    exact: dict[str, Any] = {"names": _texts(value.columns.names)}
    for place, dtype in enumerate(value.dtypes):
        more = _categories(dtype)
        if is_large and dtype == "object":
            more["kinds"] = _kinds_in(value.iloc[:, place])
        if more:
            exact[str(place)] = more
    if value.shape[1] > _MAX_ITEMS:
        exact["columns"] = _digest("list", _canonical(list(value.columns)))["digest"]
        exact["dtypes"] = _digest("list", repr(list(value.dtypes)))["digest"]
    return exact


def _categories(dtype: Any) -> dict[str, Any]:
    if not hasattr(dtype, "categories"):
        return {}
    return {"categories": _sized("list", list(dtype.categories), 1), "ordered": bool(dtype.ordered)}


def _kinds_in(column: Any) -> list[str]:
    """The types in a column of objects of which only a digest is kept."""
    return sorted(map(_type_name, set(map(type, column))))


def _kinds(value: Any) -> str:
    """A digest of the types in a large value and its order, which the digest of its content leaves out."""
    texts: list[str] = []
    pending, met = [value], set[int]()
    while pending:
        part = pending.pop()
        texts.append(type(part).__name__)
        if isinstance(part, (list, tuple, dict)) and id(part) not in met:
            met.add(id(part))
            pending.extend(part.values() if isinstance(part, dict) else part)
            texts.append(_canonical(list(part)) if isinstance(part, dict) else "")
    in_order = sorted(texts) if isinstance(value, (set, frozenset)) else texts
    return str(_digest("list", ",".join(in_order))["digest"])


def _texts(names: Iterable[Any]) -> list[str | None]:
    return [None if name is None else str(name) for name in names]


def _type_name(kind: type) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _plain(value: Any) -> dict[str, Any] | None:
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return {"t": "null"}
    if isinstance(value, bool) or type(value).__name__ in ("bool_", "bool"):
        return {"t": "bool", "v": bool(value)}
    if isinstance(value, str):
        return {"t": "str", "v": str(value)} if len(value) <= _MAX_TEXT else _digest("str", value)
    if isinstance(value, numbers.Integral):
        return {"t": "int", "v": int(value)}
    if isinstance(value, numbers.Real) and not hasattr(value, "__array_interface__"):
        return _float(float(value))
    if isinstance(value, (datetime.datetime, datetime.date)):
        return {"t": "date", "v": value.isoformat()}
    if isinstance(value, datetime.timedelta):
        return {"t": "duration", "v": value.total_seconds()}
    return None


def _float(value: float) -> dict[str, Any]:
    if math.isnan(value):
        return {"t": "null"}
    return {"t": "float", "v": value if math.isfinite(value) else repr(value)}


def _library(value: Any, depth: int) -> dict[str, Any] | None:
    """Values of numpy and pandas, told by their shape so that neither is imported here."""
    module = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if module == "numpy" and hasattr(value, "dtype") and getattr(value, "shape", None) == ():
        return snapshot(value.item(), depth + 1)
    if any(kind.__name__ == "ndarray" and kind.__module__ == "numpy" for kind in type(value).__mro__):
        return _array(value, depth)
    if module != "pandas":
        return None
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return _frame(value, depth)
    if hasattr(value, "index") and hasattr(value, "iloc"):
        return _series(value, depth)
    if hasattr(value, "tolist"):
        return _sized("list", list(value), depth)
    if name in ("Period", "Interval"):
        return {"t": "str", "v": str(value)}
    return None


def _array(value: Any, depth: int) -> dict[str, Any]:
    if value.ndim == 1:
        return _sized("list", value.tolist() if value.size <= _MAX_ITEMS else list(value), depth)
    if value.size > _MAX_CELLS:
        return {**_digest("array", _canonical(value.tolist())), "shape": list(value.shape)}
    return {"t": "array", "shape": list(value.shape), "v": snapshot(value.tolist(), depth + 1)}


def _series(value: Any, depth: int) -> dict[str, Any]:
    base: dict[str, Any] = {
        "n": len(value),
        "name": str(value.name) if value.name is not None else None,
        "dtype": str(value.dtype),
    }
    base["index_names"] = _texts(value.index.names)
    if len(value) > _MAX_ITEMS:
        return {**_digest("series", _canonical([list(value.index), list(value)])), **base}
    return {"t": "series", **base, "index": _labels(value.index, depth), "v": [snapshot(x, depth + 1) for x in value]}


def _frame(value: Any, depth: int) -> dict[str, Any]:
    rows, columns = value.shape
    base: dict[str, Any] = {"shape": [rows, columns]}
    if columns <= _MAX_ITEMS:
        base["columns"] = _labels(value.columns, depth)
        base["dtypes"] = [str(dtype) for dtype in value.dtypes]
    base["index_names"] = _texts(value.index.names)
    if rows * columns > _MAX_CELLS or rows > _MAX_ITEMS or columns > _MAX_ITEMS:
        return {**_frame_digest(value), **base}
    body = [[snapshot(x, depth + 1) for x in row] for row in value.itertuples(index=False, name=None)]
    return {"t": "frame", **base, "index": _labels(value.index, depth), "v": body}


def _frame_digest(value: Any) -> dict[str, Any]:
    try:
        from pandas.util import hash_pandas_object  # noqa: PLC0415 - only where the value is pandas' own

        digest = hashlib.sha256(hash_pandas_object(value.index).to_numpy().tobytes())
        for number, dtype in enumerate(value.dtypes):
            column = value.iloc[:, number]
            is_float = getattr(dtype, "kind", "") == "f" and hasattr(dtype, "str")
            told = _significant(column.to_numpy()) if is_float else hash_pandas_object(column, index=False).to_numpy()
            digest.update(told.tobytes())
        return {"t": "frame", "digest": digest.hexdigest()}
    except TypeError:
        return _digest("frame", value.to_csv())


def _significant(values: Any) -> Any:
    """An array of floats to ten significant digits."""
    import numpy  # noqa: PLC0415 - only where the value is numpy's own

    with numpy.errstate(all="ignore"):
        scale = 10.0 ** (9 - numpy.floor(numpy.log10(numpy.abs(values.astype("float64")))))
        rounded = numpy.round(values * scale) / scale
    found = numpy.where(numpy.isfinite(rounded), rounded, values) + 0.0
    found[numpy.isnan(found)] = numpy.nan
    return found


def _labels(index: Any, depth: int) -> list[dict[str, Any]]:
    return [snapshot(label, depth + 1) for label in index]


def _container(value: Any, depth: int) -> dict[str, Any] | None:
    if isinstance(value, (list, tuple)) or type(value).__name__ in ("dict_keys", "dict_values", "range"):
        return _sized("list", list(value), depth)
    if isinstance(value, (set, frozenset)):
        return _sized("set", sorted(value, key=repr), depth)
    if isinstance(value, dict):
        if len(value) > _MAX_ITEMS:
            return _digest("map", _canonical(sorted(value.items(), key=repr)))
        pairs = [[snapshot(key, depth + 1), snapshot(item, depth + 1)] for key, item in value.items()]
        return {"t": "map", "v": pairs}
    return None


def _sized(kind: str, items: list[Any], depth: int) -> dict[str, Any]:
    if len(items) > _MAX_ITEMS:
        return {**_digest(kind, _canonical(items)), "n": len(items)}
    return {"t": kind, "v": [snapshot(item, depth + 1) for item in items]}


def _canonical(value: Any) -> str:
    """Text of a large value in which floats keep ten significant digits, so that noise does not change the digest."""
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(_canonical(item) for item in value) + "]"
    if isinstance(value, numbers.Integral):
        return repr(int(value))
    return f"{float(value):.10g}" if isinstance(value, numbers.Real) else repr(value)


def _digest(kind: str, text: str) -> dict[str, Any]:
    return {"t": kind, "digest": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}


def _other(value: Any) -> dict[str, Any]:
    """A value that is known by its type, and by its own text if that tells more."""
    kind: Any = type(value)
    found = {"t": "other", "type": kind.__module__ + "." + kind.__qualname__}
    if kind.__repr__ is object.__repr__ or any(hasattr(kind, name) for name in _DRAWN):
        return found
    if kind.__module__.partition(".")[0] in _DRAWERS:
        return found
    text = repr(value) if kind.__str__ is object.__str__ else f"{value!r} {value}"
    if _ADDRESS.search(text):
        return found
    return {**found, "exact": {"text": text if len(text) <= _MAX_TEXT else _digest("str", text)["digest"]}}


def to_text(snapshots: Any) -> str:
    """JSON text of snapshots."""
    return json.dumps(snapshots, ensure_ascii=False, allow_nan=False, default=str)
