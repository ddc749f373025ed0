"""Changed copies of tables, each in a folder of its own that stands as `data/` for a program's fork.

Tables are hostile, so they are read and written by a fork of the kernel, in its sandbox. One fork makes all the copies
of a request: it reads a table once. A change is by seed: the same one gives the same bytes.
"""

import base64
import datetime
import decimal
import json
import os
import random
import re
import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

# The parts are one module inside a kernel.
if "open_table" not in globals():
    from cellwright.proof.inside.formats import ADDED, Grid, Table, Values, bare, is_missing, open_table

_INTEGER = re.compile(r"[+-]?\d{1,15}")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_GROUPED = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
_DATE = re.compile(r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})(?=$|[T ])")
_LIKE_DATE = re.compile(r"\d{1,4}[-/. ](\d{1,2}|[A-Za-z]{3,9})[-/., ]+\d{1,4}([T ].*)?|\d{1,2}:\d{2}(:\d{2})?.*")
_WORDS_FOR_TRUTH = frozenset(("true", "false", "yes", "no", "y", "n", "t", "f"))
_FEW_LABELS = 60
_MOST_DISCRETE = 12
_FETCH_BYTES = 1 << 20

_variant_folders: dict[str, str] = {}
"""Name of a variant to the folder that stands as `data/`."""


# --- what is asked from outside ----------------------------------------------------------------------


def survey(hints: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What each table holds: rows, and of each column its kind, labels and so on; or why it cannot be changed."""
    told: dict[str, Any] = {}
    for name, hint in hints.items():
        try:
            table = open_table(Path("data", name), hint)
        except Exception as error:  # noqa: BLE001 - a hostile file may fail in any way, and that is what is told
            told[name] = {"problem": f"{type(error).__name__}: {error}"[:300]}
            continue
        grid = max(table.grids, key=lambda one: one.size)
        columns = [_described(column, values) for each in table.grids for column, values in each.columns.items()]
        told[name] = {"rows": len(grid.rows()), "columns": columns}
    return told


def _described(name: str, values: Values) -> dict[str, Any]:
    present = [value for value in values if not is_missing(value)]
    kind = kind_of(present)
    texts = {bare(value) if isinstance(value, str) else str(value) for value in present}
    labels = sorted(texts) if kind in ("category", "text") and len(texts) <= _FEW_LABELS else []
    return {
        "name": name,
        "kind": kind,
        "distinct": len(texts),
        "is_unique": len(texts) == len(values),
        "missing": len(values) - len(present),
        "labels": [label[:200] for label in labels],
    }


def make(variants: dict[str, list[dict[str, Any]]], hints: dict[str, dict[str, Any]], folders: dict[str, str]) -> Any:
    """Write every variant into its folder. Returns, of each, the tables that could not be changed and why."""
    opened: dict[str, Table | str] = {}
    notes: dict[str, Any] = {}
    for variant, changes in variants.items():
        target = Path(folders[variant])
        problems: dict[str, str] = {}
        copies: dict[str, Table] = {}
        for change in changes:
            name = change["table"]
            if name not in opened:
                opened[name] = _opened(name, hints.get(name, {}))
            source = opened[name]
            if isinstance(source, str):
                problems[name] = source
                continue
            copy = copies.setdefault(name, source.copy())
            for grid in copy.grids:
                _CHANGES[change["kind"]](grid, change, _random(change))
        for name, copy in list(copies.items()):
            try:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                copy.write(target / name)
            except Exception as error:  # noqa: BLE001 - as above
                problems[name] = f"{type(error).__name__}: {error}"[:300]
                (target / name).unlink(missing_ok=True)
            else:
                (target / name).chmod(0o444)
        _link_others(target)
        notes[variant] = {"problems": problems}
    return notes


def _opened(name: str, hint: dict[str, Any]) -> Table | str:
    try:
        return open_table(Path("data", name), hint)
    except Exception as error:  # noqa: BLE001 - a hostile file may fail in any way, and that is what is told
        return f"{type(error).__name__}: {error}"[:300]


def _link_others(target: Path) -> None:
    """The tables that stay as they are."""
    source = Path("data").resolve()
    for entry in source.rglob("*"):
        place = target / entry.relative_to(source)
        if entry.is_file() and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(entry)


def new_folder() -> str:
    return tempfile.mkdtemp(prefix="variant-")


def keep(variant: str, folder: str, *, complete: bool) -> None:
    """From now on, this folder is the variant's; one that was not made to its end is removed."""
    if complete:
        _variant_folders[variant] = folder
    else:
        shutil.rmtree(folder, ignore_errors=True)


def folder_of(variant: str) -> str:
    """The folder that stands as `data/`; KeyError for a variant that there is not."""
    return _variant_folders[variant]


def forget(variants: Sequence[str]) -> None:
    """Remove variants that no program needs any more."""
    for variant in variants:
        shutil.rmtree(_variant_folders.pop(variant, ""), ignore_errors=True)


def piece(variant: str, name: str, offset: int) -> dict[str, Any]:
    """A part of a changed table's bytes, in base64, and how many it has in all."""
    folder = Path(_variant_folders[variant])
    path = folder / name
    if path.is_symlink() or not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return {"size": -1, "data": ""}
    with path.open("rb") as file:
        file.seek(offset)
        data = file.read(_FETCH_BYTES)
    return {"size": os.path.getsize(path), "data": base64.b64encode(data).decode()}  # noqa: PTH202


def _random(change: dict[str, Any]) -> random.Random:
    told = json.dumps([change.get("seed", 0), change["kind"], change["table"]])
    return random.Random(told)


# --- changes of rows ---------------------------------------------------------------------------------


def _reorder(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """Rows in another order; lines that are no rows keep their places."""
    rows = grid.rows()
    new = rows[::-1] if change.get("reverse") else rng.sample(rows, len(rows))
    _replace(grid, rows, new)


def _replace(grid: Grid, rows: Sequence[int], new: Sequence[int]) -> None:
    """`new` rows in the places of `rows`: more are put after the last, fewer leave the places of the last."""
    where = dict(zip(rows, new, strict=False))
    last = rows[-1] if rows else -1
    order: list[int] = []
    for at in range(grid.size):
        if at in where:
            order.append(where[at])
        elif grid.origin[at] in grid.skipped:
            order.append(at)
        if at == last:
            order += new[len(rows) :]
    grid.take(order)


def _resample(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """As many rows, drawn with replacement, in the order in which they stood."""
    rows = grid.rows()
    _replace(grid, rows, sorted(rng.choices(rows, k=len(rows))) if rows else [])


def _drop(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """A share of the rows goes, at least one; or all but `keep` of them."""
    rows = grid.rows()
    keep = (
        min(len(rows), change["keep"]) if "keep" in change else len(rows) - max(1, round(change["share"] * len(rows)))
    )
    _replace(grid, rows, sorted(rng.sample(rows, max(0, keep))))


def _head(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """All but the first rows go."""
    rows = grid.rows()
    _replace(grid, rows, rows[: change["keep"]])


def _add(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """More rows, like those that there are, each after the one it is like; what tells rows apart gets new values."""
    rows = grid.rows()
    if not rows:
        return
    chosen = set(rng.sample(rows, max(1, round(change["share"] * len(rows)))))
    unique = [name for name, values in grid.columns.items() if _tells_apart([values[at] for at in rows])]
    if any(kind_of(grid.columns[name]) == "date" for name in unique):
        return  # a series of days has no second row for one of them
    order: list[int] = []
    fresh: list[bool] = []
    for at in range(grid.size):
        order += [at, at] if at in chosen else [at]
        fresh += [False, True] if at in chosen else [False]
    grid.take(order)
    for name in unique:
        grid.put(name, _renumbered(grid.columns[name], fresh))


def _tells_apart(values: Values) -> bool:
    texts = {str(value) for value in values}
    return len(texts) == len(values) > 1 and kind_of(values) in ("integer", "text", "category", "date")


def _renumbered(values: Values, fresh: Sequence[bool]) -> Values:
    if kind_of(values) == "integer":
        top = max(int(_number(value)) for value in values if not is_missing(value))
        out: Values = []
        for value, new in zip(values, fresh, strict=True):
            top += new
            out.append(_like(value, float(top)) if new else value)
        return out
    return [
        _suffixed(value, f" {n}") if new else value for n, (value, new) in enumerate(zip(values, fresh, strict=True))
    ]


def _blank(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """A share of the values of columns goes missing."""
    rows = grid.rows()
    for name in _chosen(grid, change):
        gone = set(rng.sample(rows, max(1, round(change["share"] * len(rows))))) if rows else set()
        if all(isinstance(value, int) for value in grid.columns[name][:50]):
            continue  # whole numbers of a typed table have no way to be missing
        grid.put(name, [grid.blank if at in gone else value for at, value in enumerate(grid.columns[name])])


def _widen(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """One column more, of which some values are missing."""
    values = [grid.blank if at % 7 == 3 else at % 7 for at in range(grid.size)]
    grid.put(f"{ADDED}{change.get('seed', 0)}", values)


# --- changes of values -------------------------------------------------------------------------------


def _chosen(grid: Grid, change: dict[str, Any]) -> list[str]:
    """The columns that a change is about: those named, or all but those named."""
    named = set(change.get("columns") or ())
    others = set(change.get("except") or ())
    return [name for name in grid.columns if (name in named if "columns" in change else name not in others)]


def _values(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """Other values of the same kind and range; what is missing stays missing."""
    keys = set(change.get("keys") or ())
    rows = grid.rows()
    for name in _chosen(grid, change):
        column = list(grid.columns[name])
        at = [row for row in rows if not is_missing(column[row])]
        present = [column[row] for row in at]
        if not present:
            continue
        new = _new_values(present, change.get("how", "jitter"), rng, is_key=name in keys)
        for row, value in zip(at, new, strict=True):
            column[row] = value
        grid.put(name, column)


def _new_values(present: Values, how: str, rng: random.Random, *, is_key: bool) -> Values:
    kind = kind_of(present)
    unique = len({str(value) for value in present}) == len(present)
    moves = kind == "integer" and how in ("mirror", "shift")
    if is_key or (unique and kind in ("integer", "category", "text") and not moves):
        return present if how == "mild" else rng.sample(present, len(present))
    if kind in ("integer", "number"):
        return _new_numbers(present, how, rng)
    if kind == "date" and how == "mild":
        return present
    if kind == "date":
        shifted = _shifted(present, rng.randint(29, 400))
        mixed = shifted if shifted is not None else list(present)
        return rng.sample(mixed, len(mixed))
    if kind == "other":
        return present if how == "mild" else rng.sample(present, len(present))
    labels = sorted(set(present), key=str)
    if how == "mirror":  # every label becomes the next one: what was most frequent is another
        after = dict(zip(labels, [*labels[1:], labels[0]], strict=True))
        return [after[value] for value in present]
    if how == "mild":
        return [rng.choice(labels) if rng.random() < 0.1 else value for value in present]
    weights = [rng.expovariate(1.0) for _ in labels]
    return rng.choices(labels, weights, k=len(present))


def _new_numbers(present: Values, how: str, rng: random.Random) -> Values:
    numbers = [_number(value) for value in present]
    low, high = min(numbers), max(numbers)
    distinct = sorted(set(numbers))
    if how == "shift":  # out of their range, each column by its own way
        by = rng.uniform(0.3, 1.0) * (high - low or 1.0)
        if rng.random() < 0.5 and not 0 <= low < by:  # what was never negative does not become so
            by = -by
        return [_like(value, number + by) for value, number in zip(present, numbers, strict=True)]
    if how == "mirror":
        return [_like(value, low + high - number) for value, number in zip(present, numbers, strict=True)]
    if len(distinct) <= _MOST_DISCRETE:
        if how == "mild":
            new = [rng.choice(distinct) if rng.random() < 0.1 else number for number in numbers]
        else:
            new = rng.choices(distinct, [rng.expovariate(1.0) for _ in distinct], k=len(numbers))
        texts = dict(zip(numbers, present, strict=True))
        return [texts[number] for number in new]
    reach = (0.03 if how == "mild" else 0.2) * (high - low)
    moved = [number + rng.uniform(-reach, reach) for number in numbers]
    inside = [2 * high - n if n > high else 2 * low - n if n < low else n for n in moved]
    return [_like(value, number) for value, number in zip(present, inside, strict=True)]


def kind_of(values: Values) -> str:
    """integer, number, date, truth, category, text or other: what all present values are."""
    present = [value for value in values if not is_missing(value)]
    if not present:
        return "other"
    if all(isinstance(value, str) for value in present):
        return _kind_of_texts([bare(value) for value in present])
    if all(isinstance(value, bool) for value in present):
        return "truth"
    if all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in present):
        return "integer" if all(float(value).is_integer() for value in present) else "number"
    if all(isinstance(value, (datetime.date, datetime.datetime)) for value in present):
        return "date"
    return "other"


def _kind_of_texts(texts: Sequence[str]) -> str:
    sample = texts if len(texts) <= 2000 else texts[:: len(texts) // 1000]
    if all(_INTEGER.fullmatch(text) for text in sample):
        return "integer" if all(_INTEGER.fullmatch(text) for text in texts) else _kind_by_number(texts)
    if all(_NUMBER.fullmatch(text) or _GROUPED.fullmatch(text) for text in sample):
        return _kind_by_number(texts)
    if all(_LIKE_DATE.fullmatch(text) for text in sample):
        return "date"
    distinct = set(texts)
    if {text.lower() for text in distinct} <= _WORDS_FOR_TRUTH:
        return "truth"
    return "category" if len(distinct) <= max(20, len(texts) // 20) else "text"


def _kind_by_number(texts: Sequence[str]) -> str:
    return "number" if all(_NUMBER.fullmatch(text) or _GROUPED.fullmatch(text) for text in texts) else "text"


def _number(value: Any) -> float:
    return float(bare(value).replace(",", "")) if isinstance(value, str) else float(value)


def _like(value: Any, number: float) -> Any:
    """The number as the value is written: as many decimals, quotes and blanks."""
    if isinstance(value, float):
        return round(number, 0 if value.is_integer() else _shortest_decimals(value))
    if not isinstance(value, str):
        return round(number)
    old = bare(value)
    decimals = _places(old)
    new = (
        f"{number:.{decimals}e}"
        if "e" in old.lower()
        else f"{number:,.{decimals}f}"
        if "," in old
        else f"{number:.{decimals}f}"
    )
    return value.replace(old, new if float(new.replace(",", "")) else new.lstrip("-"))


def _places(text: str) -> int:
    mantissa = re.split("[eE]", text)[0]
    return len(mantissa.partition(".")[2])


def _shortest_decimals(value: float) -> int:
    """Of a number as short as it can be written: 7 of 2.5e-06."""
    exponent = decimal.Decimal(repr(value)).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _shifted(present: Values, days: int) -> Values | None:
    """Dates so many days later, where all are written year first or are dates; None for other forms."""
    by = datetime.timedelta(days=days)
    out: Values = []
    for value in present:
        if not isinstance(value, str):
            out.append(value + by)
            continue
        found = _DATE.search(value)
        if found is None:
            return None
        try:
            day = datetime.date(int(found[1]), int(found[3]), int(found[4])) + by
        except (ValueError, OverflowError):
            return None
        wide = len(found[3]) == 2 or len(found[4]) == 2
        month, number = (f"{day.month:02d}", f"{day.day:02d}") if wide else (str(day.month), str(day.day))
        out.append(value.replace(found[0], f"{day.year:04d}{found[2]}{month}{found[2]}{number}"))
    return out


def _rename(grid: Grid, change: dict[str, Any], rng: random.Random) -> None:
    """Labels of columns with a suffix, the same wherever the same seed is given: joins survive."""
    for name in _chosen(grid, change):
        values = grid.columns[name]
        grid.put(name, [value if is_missing(value) else _suffixed(value, change["suffix"]) for value in values])


def _suffixed(value: Any, suffix: str) -> Any:
    if not isinstance(value, str):
        return value
    old = bare(value)
    return value.replace(old, old + suffix) if old else value


_CHANGES: dict[str, Callable[[Grid, dict[str, Any], random.Random], None]] = {
    "reorder": _reorder,
    "resample": _resample,
    "drop": _drop,
    "head": _head,
    "add": _add,
    "missing": _blank,
    "widen": _widen,
    "values": _values,
    "rename": _rename,
}
