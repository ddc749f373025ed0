"""What stands in a program in the place of its own expression, where a choice is made otherwise.

Runs inside a kernel, as source, beside whatever the program has imported; pandas and the standard library only.
"""

from typing import Any


def back(value: Any) -> Any:
    """The items in the other order."""
    if hasattr(value, "iloc") and hasattr(value, "index"):
        return value.iloc[::-1]
    if isinstance(value, dict):
        return type(value)(dict(reversed(list(value.items()))))
    if hasattr(value, "dtype") or isinstance(value, (list, tuple)):
        return value[::-1]
    return list(value)[::-1]


def spread(name: str, ddof: int) -> Any:
    """The standard deviation or variance with this divisor, as a function that pandas takes for its name."""

    def with_divisor(values: Any) -> Any:
        return getattr(values, name)(ddof=ddof)

    with_divisor.__name__ = name
    return with_divisor


def describe(value: Any, ddof: int = 1, interpolation: str = "linear") -> Any:
    """`describe()` with another divisor, or other quantiles."""
    told = value.describe()
    if hasattr(value, "groups"):
        raise TypeError("groups")
    numbers = value.select_dtypes("number") if hasattr(value, "columns") else value
    if "std" in told.index:
        told.loc["std"] = numbers.std(ddof=ddof)
    for label in told.index:
        if isinstance(label, str) and label.endswith("%") and label != "50%":
            told.loc[label] = numbers.quantile(float(label[:-1]) / 100, interpolation=interpolation)
    return told


def rows(value: Any) -> Any:
    """How many rows there are, where `count()` leaves out what is missing."""
    if not hasattr(value, "index"):
        told = value.size()
        return value.count().mul(0).add(told, axis=0) if value.ndim == 2 else told
    return value.count() * 0 + len(value)


def known(flags: Any, *sides: Any) -> Any:
    """The outcome of a comparison, missing where a side of it is."""
    if not hasattr(flags, "mask") or str(getattr(flags, "dtype", "")) != "bool":
        return flags
    for side in sides:
        if hasattr(side, "isna") and side.isna().any():
            flags = flags.astype("boolean").mask(side.isna())
    return flags


def with_all_labels(names: list[str], reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, with columns of texts that remember all their labels, where rows are taken away."""
    frame = reader(*given, **named)
    for name in frame.columns if hasattr(frame, "columns") and frame.columns.is_unique else ():
        if name in names and str(frame[name].dtype) in ("object", "str", "string") and frame[name].nunique() <= 1000:
            frame[name] = frame[name].astype("category")
    return frame


def with_plain_labels(_: list[str], reader: Any, *given: Any, **named: Any) -> Any:
    """What `reader` gives, without columns that remember labels which no row has."""
    frame = reader(*given, **named)
    for name in frame.columns if hasattr(frame, "columns") and frame.columns.is_unique else ():
        if str(frame[name].dtype) == "category":
            frame[name] = frame[name].astype(frame[name].cat.categories.dtype)
    return frame


def whole(value: Any) -> Any:
    """Fractions as they are, in the place of whole numbers made of them."""
    if hasattr(value, "dtype"):
        return value if value.dtype.kind == "f" else value.astype(int)
    return value if isinstance(value, float) else int(value)


def once(left: Any, right: Any, keys: Any) -> Any:
    """The second table of a join with the first row of each key."""
    if keys is None:
        keys = [name for name in left.columns if name in right.columns]
    return right.drop_duplicates(keys)


def same(first: Any, second: Any) -> Any:
    """Whether texts are equal but for case and blanks around."""

    def plain(value: Any) -> Any:
        if isinstance(value, str):
            return value.casefold().strip()
        return value.str.casefold().str.strip() if hasattr(value, "str") else value

    return plain(first) == plain(second)


def quantile_bins(
    values: Any, q: Any, labels: Any = None, retbins: bool = False, precision: int = 3, duplicates: str = "raise"
) -> Any:
    """`pandas.qcut` with what is on an edge in the upper bin."""
    edges = _pandas().qcut(values, q, retbins=True, duplicates=duplicates)[1]
    bins = _with_left_edges(values, edges, labels=labels, precision=precision)
    return (bins, edges) if retbins else bins


def counted_in_bins(values: Any, bins: Any, **named: Any) -> Any:
    """`value_counts(bins=…)` with what is on an edge in the upper bin."""
    edges = _pandas().cut(values, bins, retbins=True)[1]
    return _with_left_edges(values, edges).value_counts(**named)


def _with_left_edges(values: Any, edges: Any, **named: Any) -> Any:
    """Bins that hold their left edge, and the last one its right edge too."""
    kept = _pandas().Series(values)
    return _pandas().cut(kept.where(kept <= edges[-1]), [*edges[:-1], float("inf")], right=False, **named)


def _pandas() -> Any:
    import pandas  # noqa: PLC0415 - the kernel's, where it has one

    return pandas
