"""Optional steps of a program: rows kept by a condition, columns worked out from others."""

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from cellwright.proof.compose.columns import is_label
from cellwright.proof.compose.draft import LEAST_ROWS, Draft, Impossible
from cellwright.proof.compose.profiles import ColumnProfile
from cellwright.proof.naming import differ_in_unit, is_added_up, is_money, words_of

_LEAST_KEPT, _MOST_KEPT = 0.05, 0.95


@dataclass(frozen=True)
class Condition:
    """A mask over the rows of a variable, with the share of them that it is thought to keep."""

    code: str
    share: float


def condition(draft: Draft, least: float = _LEAST_KEPT, most: float = _MOST_KEPT) -> Condition:
    """A condition on a column that is not used yet, with a constant that the column holds."""
    makers = [_by_number, _by_number, _by_label, _by_label, _by_labels, _by_word]
    draft.rng.shuffle(makers)
    for make in makers:
        kept = dict(draft.used), list(draft.mentions)
        try:
            found = make(draft)
        except Impossible:
            continue
        if least <= found.share <= most and found.share * draft.left >= LEAST_ROWS:
            return found
        draft.used, draft.mentions = kept
    raise Impossible


def _by_number(draft: Draft) -> Condition:
    column = draft.choose(lambda c: draft.measures(c) and bool(c.cuts))
    cut = draft.rng.choice(column.cuts)
    shares = {">": cut.above, "<": cut.below, ">=": 1 - cut.below, "<=": 1 - cut.above}
    sign = draft.rng.choice(list(shares))
    return Condition(f"{draft.name}[{column.name!r}] {sign} {plain(cut.value)}", shares[sign])


def plain(value: float) -> str:
    """A number as a person writes it in code."""
    return str(int(value)) if value.is_integer() else repr(value)


def _by_label(draft: Draft) -> Condition:
    column = draft.choose(lambda c: is_label(c) and bool(c.values))
    label, count = draft.rng.choice(column.values)
    return Condition(f"{draft.name}[{column.name!r}] == {label!r}", _share(draft, column, count))


def _by_labels(draft: Draft) -> Condition:
    column = draft.choose(lambda c: is_label(c) and c.distinct >= 4 and len(c.values) >= 3)
    chosen = draft.rng.sample(column.values, 2)
    labels = [label for label, _ in chosen]
    code = f"{draft.name}[{column.name!r}].isin({labels!r})"
    return Condition(code, _share(draft, column, sum(count for _, count in chosen)))


def _share(draft: Draft, column: ColumnProfile, count: int) -> float:
    """Share of rows with a label: among the rows of the table that the column comes from."""
    rows = sum(count for _, count in column.values)
    sizes = [profile.rows for profile in draft.source.tables if column.name in profile.names]
    return count / max([rows, *sizes[:1]])


def _by_word(draft: Draft) -> Condition:
    column = draft.choose(lambda c: c.kind in ("text", "name") and bool(c.words))
    word, share = draft.rng.choice(column.words)
    return Condition(f"{draft.name}[{column.name!r}].str.contains({word!r}, case=True, regex=False)", share)


def keep(draft: Draft, least: float = 0.1, most: float = 0.9) -> None:
    """Keep only the rows that meet a condition."""
    found = condition(draft, least, most)
    draft.step(f"{draft.name} = {draft.name}[{found.code}]")
    draft.share *= found.share


def lead(draft: Draft, chance: float = 0.6) -> None:
    """None, one or two conditions on the rows, as far as the depth allows."""
    for _ in range(2):
        if draft.spend(chance):
            keep(draft)


# --- new columns -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """A column to take statistics of."""

    name: str
    statistics: tuple[str, ...]
    """Those that say something about it, the more often the more they do."""


_OF_CALCULATED = ("mean", "median", "median", "std")


def of_column(column: ColumnProfile) -> Measure:
    """A column with its statistics: the median of few values is one of them, and not every sum is an amount."""
    medians = ("median", "median") if column.distinct >= 30 else ()
    sums = ("sum", "sum", "sum") if is_added_up(column.name) and column.low >= 0 else ()
    return Measure(column.name, ("mean", "mean", "mean", *medians, "std", *sums))


def is_amount(column: ColumnProfile) -> bool:
    """Whether a column holds money or counts of things: what could be ten percent more."""
    named = is_money(column.name) or is_added_up(column.name)
    return named and column.low > 0 and column.distinct >= 30


def measure(draft: Draft, chance: float = 0.3) -> Measure:
    """A column of measurements: one of the table's, or one worked out."""
    if draft.spend(chance):
        makers: list[Callable[[Draft], Measure]] = [_ratio, _difference, _length, _flag]
        draft.rng.shuffle(makers)
        for make in makers:
            kept = dict(draft.used), list(draft.mentions)
            try:
                return make(draft)
            except Impossible:
                draft.used, draft.mentions = kept
    return of_column(draft.number())


def _ratio(draft: Draft) -> Measure:
    top, bottom = related(draft, lambda c: c.low > 0)
    name = fresh(draft, f"{short(top.name)}_per_{short(bottom.name)}")
    return Measure(draft.set(name, _of_two(draft, top, "/", bottom)), _OF_CALCULATED)


def _difference(draft: Draft) -> Measure:
    first, second = related(draft, lambda c: True)
    name = fresh(draft, f"{short(first.name)}_minus_{short(second.name)}")
    return Measure(draft.set(name, _of_two(draft, first, "-", second)), _OF_CALCULATED)


def _of_two(draft: Draft, first: ColumnProfile, sign: str, second: ColumnProfile) -> str:
    return f"{draft.name}[{first.name!r}] {sign} {draft.name}[{second.name!r}]"


def related(draft: Draft, fits: Callable[[ColumnProfile], bool]) -> tuple[ColumnProfile, ColumnProfile]:
    """Two columns whose names share a word and whose values are of one size: sums of money, lengths, scores."""
    first = draft.number(lambda c: fits(c) and any(are_alike(c, o) and fits(o) for o in draft.source.columns))
    return first, draft.number(lambda c: fits(c) and are_alike(first, c))


def are_alike(first: ColumnProfile, second: ColumnProfile) -> bool:
    """Whether two columns hold values of one kind, by their names and sizes."""
    if first.name == second.name or first.kind != second.kind or not (first.mean and second.mean):
        return False
    if differ_in_unit(first.name, second.name):
        return False
    money = is_money(first.name) and is_money(second.name)
    words = [{word for word in words_of(c.name) if len(word) > 2} for c in (first, second)]
    return (money or bool(words[0] & words[1])) and 0.02 <= abs(first.mean / second.mean) <= 50


def is_text(column: ColumnProfile) -> bool:
    """Whether the length or words of a column's texts can say something."""
    return column.kind in ("text", "name") and not column.dirty and column.distinct >= 20


def _length(draft: Draft) -> Measure:
    column = draft.choose(is_text)
    name = draft.set(fresh(draft, f"{short(column.name)}_length"), f"{draft.name}[{column.name!r}].str.len()")
    draft.need_values(name, 5)
    return Measure(name, ("mean",))


def _flag(draft: Draft) -> Measure:
    """1 where a condition holds: the mean of it is a share."""
    found = condition(draft, 0.1, 0.6)
    return Measure(draft.set(fresh(draft, "flag"), f"({found.code}).astype(int)"), ("mean",))


_CLASSES = {3: ["low", "middle", "high"], 4: ["lowest", "low", "high", "highest"]}


def key(draft: Draft, least: int = 2, most: int = 40, chance: float = 0.25) -> str:
    """Name of a column that makes groups: one of the table's, or one worked out."""
    if draft.spend(chance):
        makers: list[Callable[[Draft, int], str]] = [_band, date_part, _bins]
        draft.rng.shuffle(makers)
        for make in makers:
            kept = dict(draft.used), list(draft.mentions), set(draft.imports)
            try:
                return make(draft, least)
            except Impossible:
                draft.used, draft.mentions, draft.imports = kept
    return draft.label(least, most).name


def _band(draft: Draft, least: int) -> str:
    if least > 2:
        raise Impossible
    column = draft.number(lambda c: bool(c.cuts))
    cut = draft.rng.choice(column.cuts)
    draft.imports.add("import numpy as np")
    words = f"np.where({draft.name}[{column.name!r}] >= {plain(cut.value)}, 'high', 'low')"
    return draft.set(fresh(draft, f"{short(column.name)}_level"), words)


def _bins(draft: Draft, least: int) -> str:
    """Classes with stated bounds, or equal parts."""
    column = draft.number(lambda c: len(c.cuts) >= 4)
    count = max(least, draft.rng.choice((3, 4)))
    name = fresh(draft, f"{short(column.name)}_class")
    labels = _CLASSES.get(count)
    if labels is None or len(column.cuts) < count - 1:
        raise Impossible
    values = f"{draft.name}[{column.name!r}]"
    if draft.rng.random() < 0.3:
        return draft.set(name, f"pd.qcut({values}, {count}, labels={labels!r})")
    inner = sorted(cut.value for cut in draft.rng.sample(column.cuts, count - 1))
    # The lowest value must lie above the first bound, as a class does not hold its lower one.
    low = math.floor(column.low) - (1 if column.low == math.floor(column.low) else 0)
    edges = ", ".join(plain(edge) for edge in (float(low), *inner, float(math.ceil(column.high))))
    return draft.set(name, f"pd.cut({values}, bins=[{edges}], labels={labels!r})")


def moments(draft: Draft, column: ColumnProfile) -> str:
    """Expression of a date column's moments."""
    plain = f"{draft.name}[{column.name!r}]"
    return plain if column.span is not None and column.span.parsed else f"pd.to_datetime({plain})"


def date_part(draft: Draft, least: int) -> str:
    """A column with the year, month, weekday or hour of a date."""
    column = draft.choose(lambda c: c.span is not None and bool(_parts(c, least)))
    part = draft.rng.choice(_parts(column, least))
    code = {"weekday": ".dt.day_name()"}.get(part, f".dt.{part}")
    return draft.set(fresh(draft, part), f"{moments(draft, column)}{code}")


def _parts(column: ColumnProfile, least: int) -> list[str]:
    span = column.span
    if span is None:
        return []
    counts = {"year": span.years, "month": span.months, "weekday": span.weekdays, "hour": span.hours}
    return [part for part, count in counts.items() if least <= count <= 40]


def short(name: str) -> str:
    """A part of a name in Python, of a column's: letters without accents, digits and lines."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"\W+", "_", plain).strip("_").lower()[:20].strip("_") or "value"


def fresh(draft: Draft, name: str) -> str:
    taken = {column.name for column in draft.source.columns}
    taken |= {name for profile in draft.source.tables for name in profile.names}
    while name in taken or name in draft.mentions:
        name += "_2"
    return name
