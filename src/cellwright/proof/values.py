"""Snapshots of values, outside the kernel: whether two are the same, and the plain value that one stands for.

A snapshot is the JSON text that `inside.snapshots` made. Two runs agree when their snapshots are the same here; a
task's *answer* is compared in `answers`, under its contract, and knows nothing of what is `exact`.
"""

import datetime
import json
import math
from collections.abc import Sequence
from typing import Any, TypeAlias

Snapshot: TypeAlias = dict[str, Any]
Scalar: TypeAlias = int | float | str | bool | datetime.date | None

_RELATIVE_TOLERANCE = 1e-9
_ABSOLUTE_TOLERANCE = 1e-15
"""What is left of a sum that is nothing; p-values above it are told apart."""
_EXACT = "exact"


def load(text: str) -> Snapshot:
    """The snapshot of a JSON text."""
    loaded: Snapshot = json.loads(text)
    return loaded


def plain(snapshot: Snapshot) -> Snapshot:
    """The snapshot without what only slices compare."""
    found: Snapshot = _plain(snapshot)
    return found


def _plain(part: Any) -> Any:
    if isinstance(part, dict):
        return {key: _plain(value) for key, value in part.items() if key != _EXACT}
    return [_plain(item) for item in part] if isinstance(part, list) else part


def same(first: object, second: object) -> bool:
    """Whether two snapshots are of equal values; floats may differ in the last digits, as sums in another order do."""
    if isinstance(first, dict) and isinstance(second, dict):
        if {first.get("t"), second.get("t")} == {"int", "float"}:
            return _close(first.get("v"), second.get("v"))
        keys = first.keys() - {_EXACT}
        return keys == second.keys() - {_EXACT} and all(same(first[key], second[key]) for key in keys)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(same, first, second))
    if isinstance(first, float) or isinstance(second, float):
        return _close(first, second)
    return type(first) is type(second) and first == second


def identical(first: object, second: object) -> bool:
    """Whether two snapshots are of equal values of the same kinds: 2 is not 2.0, as a cast may have made it so, and a
    tuple is no list."""
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(identical(first[key], second[key]) for key in first)
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(map(identical, first, second))
    if isinstance(first, float) and isinstance(second, float) and first == second == 0:
        return math.copysign(1, first) == math.copysign(1, second)
    return same(first, second)


def is_opaque(snapshot: object) -> bool:
    """Whether some part of a value cannot be told from another of its type: a figure, a fitted model."""
    if isinstance(snapshot, dict):
        is_told = snapshot.get("t") != "other" or "text" in snapshot.get(_EXACT, ())
        return not is_told or any(map(is_opaque, snapshot.values()))
    return isinstance(snapshot, list) and any(map(is_opaque, snapshot))


def _close(first: object, second: object) -> bool:
    if isinstance(first, (int, float)) and isinstance(second, (int, float)):
        return math.isclose(first, second, rel_tol=_RELATIVE_TOLERANCE, abs_tol=_ABSOLUTE_TOLERANCE)
    return first == second


def is_nothing(snapshot: Snapshot) -> bool:
    """Whether the value shows nothing: None, or an object whose content cannot be told."""
    return snapshot.get("t") in ("null", "other")


def has_content(snapshot: Snapshot) -> bool:
    """Whether the whole value is in the snapshot, and not only its digest."""
    return "v" in snapshot and "digest" not in snapshot


def scalar(snapshot: Snapshot) -> Scalar:
    """The Python value of a scalar snapshot; dates as `date` or `datetime`. Raises ValueError for any other."""
    match snapshot.get("t"):
        case "null":
            return None
        case "int" | "str" | "bool":
            value: Scalar = snapshot["v"]
            return value
        case "float":
            return float(snapshot["v"])
        case "date":
            moment = datetime.datetime.fromisoformat(snapshot["v"])
            return moment.date() if moment.time() == datetime.time() else moment
    raise ValueError(f"a {snapshot.get('t')} is not a scalar")


def python_value(snapshot: Snapshot) -> object:
    """The Python value of a scalar, list (a tuple), mapping or labelled series (a dict); ValueError for others."""
    match snapshot.get("t"):
        case "list" | "set" if has_content(snapshot):
            return tuple(scalar(item) for item in snapshot["v"])
        case "map" if has_content(snapshot):
            return _mapping(snapshot["v"])
        case "series" if has_content(snapshot):
            return _mapping(list(zip(snapshot["index"], snapshot["v"], strict=True)))
    return scalar(snapshot)


def _mapping(pairs: Sequence[Sequence[Snapshot]]) -> dict[Scalar, Scalar]:
    plain = {scalar(key): scalar(item) for key, item in pairs}
    if len(plain) != len(pairs):
        raise ValueError("labels that repeat are no mapping")
    return plain
