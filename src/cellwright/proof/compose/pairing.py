"""The ends of programs that set one table, or one row, against another.

As in `families`, a family raises Impossible where its tables have nothing for it.
"""

from collections.abc import Mapping

from cellwright.proof.compose import steps
from cellwright.proof.compose.columns import is_label, is_number
from cellwright.proof.compose.draft import LEAST_ROWS, Composed, Draft, Impossible
from cellwright.proof.compose.families import Family, grouped, is_clear, named
from cellwright.proof.compose.profiles import ColumnProfile

_LEAST_IN_GROUP = 3
_LEAST_GROUPS, _LEAST_POINTS = 4, 8

# --- two files with the same columns ----------------------------------------------------------------------


def between_files(draft: Draft) -> Composed:
    """A statistic of one file, less or divided by that of another with the same columns."""
    source = draft.source
    value = draft.number()
    names = [source.name, source.other]
    if draft.spend(0.8):
        found = steps.condition(draft, 0.2, 0.9)
        draft.step(*(f"{name} = {name}[{found.code.replace(source.name + '[', name + '[')}]" for name in names))
    statistic = draft.rng.choice(steps.of_column(value).statistics)
    sides = [f"{name}[{value.name!r}].{statistic}()" for name in names]
    draft.guards += [f"len({name}) >= {LEAST_ROWS}" for name in names]
    sign = draft.rng.choice(("-", "/"))
    if sign == "/":
        # A ratio that rounds to one can be guessed.
        draft.guards.append(f"abs({sides[1]}) > 1e-9 and abs({sides[0]} / {sides[1]} - 1) > 0.01")
    return draft.finish("between-files", f"{sides[0]} {sign} {sides[1]}")


def count_between_files(draft: Draft) -> Composed:
    """How many rows of one file lie above a statistic of another."""
    source = draft.source
    value = draft.number(lambda c: c.distinct >= 30)
    draft.step(f"bound = {source.other}[{value.name!r}].{draft.rng.choice(('mean', 'median'))}()")
    rows = f"{source.name}[{value.name!r}] > bound"
    draft.guards.append(f"0 < ({rows}).sum() < len({source.name})")
    return draft.finish("between-files", f"len({source.name}[{rows}])")


SIDE_BY_SIDE: Mapping[str, Family] = named(between_files, count_between_files)
"""Over two tables with the same columns."""


# --- rows kept by what another table holds ------------------------------------------------------------------


def _kept(draft: Draft, *, without: bool) -> str:
    """Mask of the rows whose key the second table has, or has not; of that table often only some rows count."""
    source = draft.source
    draft.use(source.shared)
    if draft.rng.random() < 0.6:
        other = draft.of_other()
        other.used[source.shared] = draft.used[source.shared]
        found = steps.condition(other, 0.1, 0.9)
        draft.step(f"{source.other} = {source.other}[{found.code}]")
    steps.lead(draft, 0.7)
    found_in = f"{source.name}[{source.shared!r}].isin({source.other}[{source.shared!r}])"
    draft.guards.append(f"0 < ({found_in}).sum() < len({source.name})")
    return f"~{found_in}" if without else found_in


def unmatched(draft: Draft) -> Composed:
    """How many rows, or which share of them, have a key that the other table does not have."""
    kept = _kept(draft, without=True)
    draft.need_rows()
    if draft.rng.random() < 0.5:
        return draft.finish("matching", f"len({draft.name}[{kept}])")
    return draft.finish("matching", f"{draft.name}[{kept}][{draft.source.shared!r}].nunique()")


def of_matched(draft: Draft) -> Composed:
    """A statistic of the rows whose key the other table has, or has not."""
    kept = _kept(draft, without=draft.rng.random() < 0.4)
    value = draft.number()
    draft.guards.append(f"len({draft.name}[{kept}]) >= {LEAST_ROWS}")
    statistic = draft.rng.choice(steps.of_column(value).statistics)
    return draft.finish("matching", f"{draft.name}[{kept}][{value.name!r}].{statistic}()")


def matched_by_group(draft: Draft) -> Composed:
    """The label that most, or fewest, of the rows have whose key the other table has."""
    kept = _kept(draft, without=draft.rng.random() < 0.3)
    group = draft.label(3, 30)
    draft.step(f"chosen = {draft.name}[{kept}]")
    draft.guards.append(f"len(chosen) >= {LEAST_ROWS}")
    counts = f"chosen[{group.name!r}].value_counts()"
    draft.guards.append(f"len({counts}) >= 3 and {is_clear(counts, 'max')}")
    return draft.finish("matching", f"{counts}.idxmax()")


KEYED: Mapping[str, Family] = named(unmatched, of_matched, matched_by_group)
"""Over two tables that share a key."""


# --- groups of two tables -----------------------------------------------------------------------------------


def _side(draft: Draft, frame: str, source_name: str, value: ColumnProfile, statistic: str, taken: str = "") -> str:
    """One row for each label of a table, with a statistic under a name of its own; gives that name."""
    name = f"{statistic}_{steps.short(value.name)}_{source_name}"[:50].strip("_")
    if name == taken:
        name += "_2"
    named = f"{name}=({value.name!r}, {statistic!r})"
    draft.step(f"{frame} = {source_name}.groupby({draft.source.shared!r}, as_index=False).agg({named})")
    groups = f"{source_name}.groupby({draft.source.shared!r})[{value.name!r}].count()"
    draft.guards.append(f"(lambda n: len(n) >= {_LEAST_GROUPS} and int(n.min()) >= {_LEAST_IN_GROUP})({groups})")
    draft.mentions.append(name)
    return name


def _both(draft: Draft, *, alike: bool) -> tuple[str, str]:
    """The joined table of labels, in `both`: the names of its two columns. `alike` for values of one kind."""
    source = draft.source
    draft.use(source.shared)
    steps.lead(draft, 0.5)
    second = source.opposite
    values = [c for c in second.columns if is_number(c) and c.name != source.shared]
    mixed = draft.of_other()
    if alike:
        value = draft.number(lambda c: any(_comparable(c, other) and mixed.measures(other) for other in values))
        fitting = [other for other in values if _comparable(value, other)]
    else:
        value, fitting = draft.number(), [other for other in values if mixed.measures(other)]
    if not fitting:
        raise Impossible
    other = draft.rng.choice(fitting)
    gaps = [c.name for c in second.columns if c.name in (source.shared, other.name) and c.missing]
    if gaps:
        draft.step(f"{source.other} = {source.other}.dropna(subset={gaps!r})")
    statistic = draft.rng.choice(("mean", "mean", "median", "max"))
    first = _side(draft, "first", source.name, value, statistic)
    mate = _side(draft, "second", source.other, other, statistic, first)
    draft.step(f"both = first.merge(second, on={source.shared!r}, how='inner')")
    draft.guards.append(f"len(both) >= {_LEAST_GROUPS}")
    return first, mate


def _comparable(first: ColumnProfile, second: ColumnProfile) -> bool:
    """Whether a difference of the two says something: the same measure, or measures of one kind."""
    return (first.name == second.name and first.kind == second.kind) or steps.are_alike(first, second)


def widest_gap(draft: Draft) -> Composed:
    """The label for which two tables differ most, or by how much they do."""
    first, second = _both(draft, alike=True)
    draft.step(f"both['gap'] = both[{first!r}] - both[{second!r}]")
    draft.mentions.append("gap")
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear("both['gap']", side, apart=0.01))
    if draft.rng.random() < 0.6:
        return draft.finish("between-groups", f"both.set_index({draft.source.shared!r})['gap'].idx{side}()")
    return draft.finish("between-groups", f"both['gap'].{draft.rng.choice(('max', 'min', 'mean'))}()")


def groups_ahead(draft: Draft) -> Composed:
    """For how many labels one table has the higher statistic."""
    first, second = _both(draft, alike=True)
    rows = f"both[{first!r}] > both[{second!r}]"
    draft.guards.append(f"len(both) >= 5 and 0 < ({rows}).sum() < len(both)")
    return draft.finish("between-groups", f"len(both[{rows}])")


def groups_together(draft: Draft) -> Composed:
    """How the statistics of two tables go together over their labels."""
    first, second = _both(draft, alike=False)
    values = f"both[{first!r}].corr(both[{second!r}])"
    draft.guards.append(f"len(both) >= {_LEAST_POINTS} and 0.02 < abs({values}) < 0.9999")
    return draft.finish("between-groups", f"both[{first!r}].corr(both[{second!r}], method='pearson')")


COMPARED: Mapping[str, Family] = named(widest_gap, groups_ahead, groups_together)
"""Over two tables that share labels."""


# --- rows and their own group -------------------------------------------------------------------------------


def _typical(draft: Draft) -> tuple[str, str, str]:
    """Each row joined with a statistic of its group: the names of the group, the value and the statistic."""
    steps.lead(draft)
    group, value = draft.label(3, 40), draft.number()
    statistic = draft.rng.choice(("mean", "median", "median", "max"))
    name = steps.fresh(draft, f"group_{statistic}_{steps.short(value.name)}")
    per = f"{draft.name}.groupby({group.name!r}, as_index=False).agg({name}=({value.name!r}, {statistic!r}))"
    draft.need_groups(grouped(draft, group.name, value.name), 3)
    draft.step(
        f"per_group = {per}",
        f"{draft.name} = {draft.name}.merge(per_group, on={group.name!r}, how='inner')",
    )
    draft.mentions.append(name)
    return group.name, value.name, name


def _set_apart(draft: Draft) -> str:
    """Condition on rows that are well above, or below, what is typical of their group."""
    _, value, typical = _typical(draft)
    factor, sign = draft.rng.choice((("1.5 * ", ">"), ("1.2 * ", ">"), ("0.8 * ", "<"), ("0.5 * ", "<")))
    if "max" in typical.split("_")[1]:
        factor, sign = draft.rng.choice((("0.5 * ", "<"), ("0.9 * ", ">"), ("0.8 * ", ">")))
    code = f"{draft.name}[{value!r}] {sign} {factor}{draft.name}[{typical!r}]"
    draft.guards.append(f"0.02 < ({code}).mean() < 0.98")
    draft.need_rows()
    return code


def rows_set_apart(draft: Draft) -> Composed:
    """How many rows are well above, or below, what is typical of their group, or which share of them."""
    code = _set_apart(draft)
    return draft.finish("above-group", draft.rng.choice((f"len({draft.name}[{code}])", f"({code}).mean()")))


def of_rows_set_apart(draft: Draft) -> Composed:
    """A statistic of another column over the rows that are well above, or below, what is typical of their group."""
    code = _set_apart(draft)
    other = draft.number()
    draft.guards.append(f"({code}).sum() >= {LEAST_ROWS // 2}")
    statistic = draft.rng.choice(steps.of_column(other).statistics)
    return draft.finish("above-group", f"{draft.name}[{code}][{other.name!r}].{statistic}()")


def label_set_apart(draft: Draft) -> Composed:
    """The label of another column that is, on average, furthest above or below what is typical of its rows' groups."""
    group, value, typical = _typical(draft)
    if "max" in typical.split("_")[1]:
        raise Impossible
    gap = draft.set(steps.fresh(draft, "distance"), f"{draft.name}[{value!r}] - {draft.name}[{typical!r}]")
    label = draft.choose(lambda c: is_label(c) and 4 <= c.distinct <= 30)
    draft.need_pairs(group, label.name)
    draft.need_groups(grouped(draft, label.name, gap), 4)
    found = f"{grouped(draft, label.name, gap)}.mean()"
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(found, side, apart=0.01))
    return draft.finish("above-group", f"{found}.idx{side}()", {"extreme"})


OWN: Mapping[str, Family] = named(rows_set_apart, of_rows_set_apart, label_set_apart)
"""Over one table, joined with what its own groups are like."""
