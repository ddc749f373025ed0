"""Values as JSON, exact enough to tell two runs apart: numbers with all digits, tables with their labels.

Large values keep a digest and no content, so that they can be compared but not shown.
"""

import datetime
import hashlib
import json
import math
import numbers
from typing import Any

_MAX_ITEMS = 300
_MAX_CELLS = 3000
_MAX_TEXT = 20_000
_MAX_DEPTH = 6


def snapshot(value: Any, depth: int = 0) -> dict[str, Any]:
    """One value as a JSON-able dictionary whose `t` names its kind. Never raises: what cannot be read is `other`."""
    if depth > _MAX_DEPTH:
        return _other(value)
    try:
        return _plain(value) or _library(value, depth) or _container(value, depth) or _other(value)
    except Exception as error:  # noqa: BLE001 - a value's own methods may fail in any way
        return {"t": "other", "type": type(value).__name__, "error": type(error).__name__}


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
    if module == "numpy" and name == "ndarray":
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
    base["index_names"] = [None if name is None else str(name) for name in value.index.names]
    if len(value) > _MAX_ITEMS:
        return {**_digest("series", _canonical([list(value.index), list(value)])), **base}
    return {"t": "series", **base, "index": _labels(value.index, depth), "v": [snapshot(x, depth + 1) for x in value]}


def _frame(value: Any, depth: int) -> dict[str, Any]:
    rows, columns = value.shape
    base: dict[str, Any] = {"shape": [rows, columns]}
    if columns <= _MAX_ITEMS:
        base["columns"] = _labels(value.columns, depth)
        base["dtypes"] = [str(dtype) for dtype in value.dtypes]
    base["index_names"] = [None if name is None else str(name) for name in value.index.names]
    if rows * columns > _MAX_CELLS or rows > _MAX_ITEMS or columns > _MAX_ITEMS:
        return {**_frame_digest(value), **base}
    body = [[snapshot(x, depth + 1) for x in row] for row in value.itertuples(index=False, name=None)]
    return {"t": "frame", **base, "index": _labels(value.index, depth), "v": body}


def _frame_digest(value: Any) -> dict[str, Any]:
    try:
        from pandas.util import hash_pandas_object  # noqa: PLC0415 - only where the value is pandas' own

        rounded = value.round(9)
        return {"t": "frame", "digest": hashlib.sha256(hash_pandas_object(rounded).to_numpy().tobytes()).hexdigest()}
    except TypeError:
        return _digest("frame", value.to_csv())


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
    return f"{float(value):.10g}" if isinstance(value, numbers.Real) else repr(value)


def _digest(kind: str, text: str) -> dict[str, Any]:
    return {"t": kind, "digest": hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()}


def _other(value: Any) -> dict[str, Any]:
    return {"t": "other", "type": type(value).__module__ + "." + type(value).__qualname__}


def to_text(snapshots: Any) -> str:
    """JSON text of snapshots."""
    return json.dumps(snapshots, ensure_ascii=False, allow_nan=False, default=str)
