"""The ends of programs: each family takes a draft, adds what it needs, and says what is shown.

A family asks the draft for columns that fit and raises Impossible where there are none. What no question can be worded
for, `proof.questions` refuses later: a form may stand here before the reader knows it.
"""

from collections.abc import Callable, Mapping

from cellwright.proof.compose import steps
from cellwright.proof.compose.columns import is_label
from cellwright.proof.compose.draft import LEAST_ROWS, Composed, Draft, Impossible
from cellwright.proof.compose.profiles import ColumnProfile


def grouped(draft: Draft, key: str, value: str) -> str:
    """Expression of a column in groups."""
    return f"{draft.name}.groupby({key!r})[{value!r}]"


def is_clear(values: str, side: str, *, apart: float = 0.002) -> str:
    """Expression: whether the first of some values is well ahead of the second."""
    largest = "nlargest" if side == "max" else "nsmallest"
    return (
        f"(lambda v: bool(v.notna().all()) and float(v.{largest}(2).diff().abs().iloc[-1]) > "
        f"{apart} * float(v.abs().max()))({values})"
    )


# --- statistics of rows ---------------------------------------------------------------------------------


def aggregate(draft: Draft) -> Composed:
    """One statistic of a column, over the rows that meet conditions."""
    steps.keep(draft)
    steps.lead(draft)
    value = steps.measure(draft)
    draft.need_rows()
    if draft.rng.random() < 0.25 and "median" in value.statistics:
        fraction = draft.rng.choice((0.1, 0.25, 0.75, 0.9))
        return draft.finish("quantile", f"{draft.name}[{value.name!r}].quantile({fraction})")
    return draft.finish("aggregate", f"{draft.name}[{value.name!r}].{draft.rng.choice(value.statistics)}()")


def count(draft: Draft) -> Composed:
    """Rows that meet two conditions or more."""
    steps.lead(draft, 0.8)
    first, second = steps.condition(draft), steps.condition(draft)
    draft.need_rows()
    return draft.finish("count", f"len({draft.name}[({first.code}) & ({second.code})])", {"count"})


def distinct(draft: Draft) -> Composed:
    """How many different values a column has among some rows."""
    steps.keep(draft, 0.05, 0.6)
    steps.lead(draft)
    column = draft.choose(lambda c: c.kind in ("category", "name", "text") and c.distinct >= 12 and not c.dirty)
    draft.need_rows()
    # All of them would be what the whole table says, and as many as there are rows would be a count of rows.
    values = f"{draft.name}[{column.name!r}].nunique()"
    draft.guards.append(f"1 < {values} < min(len({draft.name}), {column.distinct})")
    return draft.finish("aggregate", f"{draft.name}[{column.name!r}].nunique()")


def share(draft: Draft) -> Composed:
    """The share of rows that meet a condition, among those that meet others."""
    steps.keep(draft)
    steps.lead(draft)
    asked = steps.condition(draft)
    draft.need_rows()
    return draft.finish("conditional-share", f"({asked.code}).mean()", {"share"})


def ratio(draft: Draft) -> Composed:
    """One statistic for one group, divided by or less the same for another group."""
    steps.lead(draft)
    group = draft.choose(lambda c: is_label(c) and len(c.values) >= 2)
    (first, _), (second, _) = draft.rng.sample(group.values[:6], 2)
    value = steps.measure(draft)
    statistic = draft.rng.choice(value.statistics)
    rows = [f"{draft.name}[{draft.name}[{group.name!r}] == {label!r}]" for label in (first, second)]
    sides = [f"{side}[{value.name!r}].{statistic}()" for side in rows]
    draft.guards += [f"({draft.name}[{group.name!r}] == {label!r}).sum() >= {LEAST_ROWS}" for label in (first, second)]
    sign = draft.rng.choice(("/", "-"))
    if sign == "/":
        # A ratio that rounds to one can be guessed.
        draft.guards.append(f"abs({sides[1]}) > 1e-9 and abs({sides[0]} / {sides[1]} - 1) > 0.01")
    return draft.finish("ratio", f"{sides[0]} {sign} {sides[1]}")


def above_quantile(draft: Draft) -> Composed:
    """A statistic of the rows in the upper or lower part of another column."""
    steps.lead(draft)
    by = draft.number(lambda c: c.distinct >= 30)
    value = draft.number()
    fraction = draft.rng.choice((0.1, 0.25, 0.75, 0.9))
    sign = ">=" if fraction > 0.5 else "<="
    bound = f"{draft.name}[{by.name!r}].quantile({fraction})"
    draft.step(f"bound = {bound}")
    draft.need_rows(5 * LEAST_ROWS)
    statistic = draft.rng.choice(steps.of_column(value).statistics)
    rows = f"{draft.name}[{draft.name}[{by.name!r}] {sign} bound]"
    return draft.finish("quantile", f"{rows}[{value.name!r}].{statistic}()")


def outliers(draft: Draft) -> Composed:
    """How many rows lie far above the mean."""
    steps.lead(draft)
    column = draft.number(lambda c: c.distinct >= 30)
    times = draft.rng.choice(("1.5", "2"))
    name = f"{draft.name}[{column.name!r}]"
    draft.step(f"bound = {name}.mean() + {times} * {name}.std()")
    draft.need_rows(3 * LEAST_ROWS)
    draft.guards.append(f"2 <= ({name} > bound).sum() < 0.5 * len({draft.name})")
    return draft.finish("outliers", f"len({draft.name}[{name} > bound])", {"count"})


def correlation(draft: Draft) -> Composed:
    """How two columns go together."""
    steps.lead(draft)
    first, second = draft.number(), draft.number()
    method = draft.rng.choice(("pearson", "spearman"))
    draft.need_rows()
    a, b = (f"{draft.name}[{column.name!r}]" for column in (first, second))
    draft.guards.append(f"0.02 < abs({a}.corr({b})) < 0.9999")
    return draft.finish("correlation", f"{a}.corr({b}, method={method!r})", {"correlation"})


def test_of_means(draft: Draft) -> Composed:
    """Welch's t between two groups."""
    steps.lead(draft)
    group = draft.choose(lambda c: is_label(c) and len(c.values) >= 2)
    (first, _), (second, _) = draft.rng.sample(group.values[:4], 2)
    value = draft.number()
    draft.imports.add("from scipy import stats")
    sides = [f"{draft.name}[{draft.name}[{group.name!r}] == {label!r}][{value.name!r}]" for label in (first, second)]
    draft.guards += [f"len({side}) >= {LEAST_ROWS}" for side in sides]
    expression = f"stats.ttest_ind({sides[0]}, {sides[1]}, equal_var=False).statistic"
    return draft.finish("test", expression)


# --- groups ---------------------------------------------------------------------------------------------


def group_value(draft: Draft) -> Composed:
    """A statistic of one group, or of each."""
    steps.lead(draft)
    group, value = steps.key(draft), steps.measure(draft)
    draft.need_groups(grouped(draft, group, value.name), 2)
    expression = f"{grouped(draft, group, value.name)}.{draft.rng.choice(value.statistics)}()"
    return draft.finish("group-aggregate", expression, {"group-aggregate"})


def group_extreme(draft: Draft) -> Composed:
    """The group with the highest or lowest statistic."""
    steps.lead(draft)
    group, value = steps.key(draft, 4), steps.measure(draft)
    groups = f"{grouped(draft, group, value.name)}.{draft.rng.choice(value.statistics)}()"
    draft.need_groups(grouped(draft, group, value.name), 4)
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(groups, side))
    return draft.finish("extreme-group", f"{groups}.idx{side}()", {"extreme"})


def top_groups(draft: Draft) -> Composed:
    """The three groups with the highest statistic, in order."""
    steps.lead(draft)
    group, value = steps.key(draft, 6), steps.measure(draft)
    groups = f"{grouped(draft, group, value.name)}.{draft.rng.choice(value.statistics)}()"
    draft.need_groups(grouped(draft, group, value.name), 6)
    number = draft.rng.choice((2, 3, 3, 4))
    most = draft.rng.choice(("nlargest", "nlargest", "nsmallest"))
    apart = f"float(v.{most}({number + 1}).diff().abs().iloc[1:].min()) > 0.001 * float(v.abs().max())"
    draft.guards.append(f"(lambda v: {apart})({groups})")
    return draft.finish("top-k", f"{groups}.{most}({number}).index.tolist()", {"top-k"})


def top_rows(draft: Draft) -> Composed:
    """The names of the rows with the highest values."""
    steps.keep(draft, 0.05, 0.8)
    steps.lead(draft, 0.4)
    name = draft.choose(lambda c: c.kind == "name" and not c.dirty)
    value = draft.number(lambda c: c.distinct >= 30)
    number = draft.rng.choice((2, 3, 3, 4, 5))
    most = draft.rng.choice(("nlargest", "nlargest", "nsmallest"))
    draft.need_rows()
    rows = f"{draft.name}[[{name.name!r}, {value.name!r}]].{most}({number}, {value.name!r})"
    return draft.finish("top-k", rows, {"top-k"})


def group_share(draft: Draft) -> Composed:
    """The share of a label within a group of another column."""
    steps.lead(draft)
    group = draft.label(2, 30)
    other = draft.label(2, 12)
    draft.need_pairs(group.name, other.name)
    table = f"pd.crosstab({draft.name}[{group.name!r}], {draft.name}[{other.name!r}], normalize='index')"
    draft.need_groups(grouped(draft, group.name, other.name), 2)
    return draft.finish("share-per-group", table, {"crosstab"})


def pivot(draft: Draft) -> Composed:
    """A statistic for one pair of labels."""
    steps.lead(draft)
    rows = steps.key(draft, 2, 30)
    columns, value = draft.label(2, 12), draft.number()
    draft.need_pairs(rows, columns.name)
    statistic = draft.rng.choice([name for name in steps.of_column(value).statistics if name != "std"])
    given = f"values={value.name!r}, index={rows!r}, columns={columns.name!r}, aggfunc={statistic!r}"
    table = f"{draft.name}.pivot_table({given})"
    draft.guards.append(
        f"{draft.name}.groupby([{rows!r}, {columns.name!r}]).size().min() >= {LEAST_ROWS // 6} and len({table}) >= 2"
    )
    return draft.finish("pivot", table, {"pivot"})


def follow_up(draft: Draft) -> Composed:
    """The group with the highest statistic; then another statistic of that group alone."""
    steps.lead(draft)
    group, value = steps.key(draft, 4), steps.measure(draft)
    groups = f"{grouped(draft, group, value.name)}.{draft.rng.choice(value.statistics)}()"
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(groups, side))
    draft.need_groups(grouped(draft, group, value.name), 4)
    draft.step(f"top = {groups}.idx{side}()", f"chosen = {draft.name}[{draft.name}[{group!r}] == top]")
    draft.guards.append(f"{LEAST_ROWS // 2} <= len(chosen) < len({draft.name})")
    if draft.rng.random() < 0.4:
        asked = steps.condition(draft, 0.1, 0.9)
        code = asked.code.replace(f"{draft.name}[", "chosen[")
        return draft.finish("multi-step", f"({code}).mean()", {"share"})
    other = draft.number()
    return draft.finish("multi-step", f"chosen[{other.name!r}].{draft.rng.choice(steps.of_column(other).statistics)}()")


def group_count(draft: Draft) -> Composed:
    """How many groups lie above the mean of all rows."""
    steps.lead(draft)
    group, value = draft.label(5, 60), steps.measure(draft)
    groups = f"{grouped(draft, group.name, value.name)}.mean()"
    draft.need_groups(grouped(draft, group.name, value.name), 5)
    bound = f"{draft.name}[{value.name!r}].mean()"
    draft.guards.append(
        f"float(({groups} / {bound} - 1).abs().min()) > 0.001 and 1 < ({groups} > {bound}).sum() < len({groups})"
    )
    return draft.finish("group-count", f"({groups} > {bound}).sum()", {"count"})


def share_of_total(draft: Draft) -> Composed:
    """What part of a total the largest group has."""
    steps.lead(draft)
    group = draft.label(3, 40)
    value = draft.number(lambda c: "sum" in steps.of_column(c).statistics)
    draft.need_groups(grouped(draft, group.name, value.name), 3)
    groups = f"{grouped(draft, group.name, value.name)}.sum()"
    side = draft.rng.choice(("max", "max", "min"))
    return draft.finish("share-of-total", f"{groups}.{side}() / {draft.name}[{value.name!r}].sum()")


def above_group_mean(draft: Draft) -> Composed:
    """How many rows lie above the mean of their own group, or which share of them."""
    steps.lead(draft, 0.5)
    group = draft.label(3, 40)
    value = draft.number()
    draft.need_groups(grouped(draft, group.name, value.name), 3)
    column = f"{draft.name}[{value.name!r}]"
    rows = f"{column} > {grouped(draft, group.name, value.name)}.transform('mean')"
    asked = draft.rng.choice((f"len({draft.name}[{rows}])", f"({rows}).mean()"))
    return draft.finish("above-group", asked)


def share_extreme(draft: Draft) -> Composed:
    """The group in which the largest share of rows meets a condition."""
    steps.lead(draft)
    group = draft.label(4, 30)
    column = draft.number(lambda c: bool(c.cuts))
    cut = draft.rng.choice(column.cuts)
    sign = draft.rng.choice((">", "<"))
    groups = f"{grouped(draft, group.name, column.name)}.apply(lambda v: (v {sign} {steps.plain(cut.value)}).mean())"
    draft.need_groups(grouped(draft, group.name, column.name), 4)
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(groups, side))
    return draft.finish("share-per-group", f"{groups}.idx{side}()")


def best_rows(draft: Draft) -> Composed:
    """A statistic of the rows with the highest values of another column."""
    steps.lead(draft)
    by = draft.number(lambda c: c.distinct >= 50)
    number = draft.rng.choice((10, 20, 25, 50, 100))
    if number > draft.left / 3:
        raise Impossible
    most = draft.rng.choice(("nlargest", "nlargest", "nsmallest"))
    draft.step(f"chosen = {draft.name}.{most}({number}, {by.name!r})")
    draft.need_rows(2 * number)
    if draft.rng.random() < 0.3:
        label = draft.choose(lambda c: is_label(c) and 2 <= c.distinct <= 8)
        value, _ = draft.rng.choice(label.values)
        return draft.finish("top-rows", f"(chosen[{label.name!r}] == {value!r}).sum()")
    other = draft.number()
    return draft.finish("top-rows", f"chosen[{other.name!r}].{draft.rng.choice(steps.of_column(other).statistics)}()")


def best_of_each(draft: Draft) -> Composed:
    """Of each group the row with the highest value, and a statistic of those rows."""
    steps.lead(draft)
    group = draft.label(8, 60)
    by = draft.number(lambda c: c.distinct >= 30)
    draft.step(f"best = {draft.name}.sort_values({by.name!r}, ascending=False).drop_duplicates({group.name!r})")
    top = grouped(draft, group.name, by.name)
    draft.guards.append(
        f"{draft.name}[{draft.name}[{by.name!r}] == {top}.transform('max')].groupby({group.name!r}).size().max() == 1"
    )
    other = draft.number()
    return draft.finish("multi-step", f"best[{other.name!r}].{draft.rng.choice(('mean', 'median'))}()")


def frequent_groups(draft: Draft) -> Composed:
    """The extreme group among those with many rows."""
    group = draft.choose(
        lambda c: is_label(c) and 6 <= c.distinct <= 60 and 0 < c.least < 0.5 * draft.source.rows / c.distinct
    )
    value = draft.number()
    wanted = [count for _, count in group.values]
    bound = _round_below(wanted[min(len(wanted) - 1, draft.rng.choice((4, 5, 6)))])
    if bound <= group.least or bound < 10:
        raise Impossible
    draft.step(f"counts = {draft.name}[{group.name!r}].value_counts()", f"frequent = counts[counts >= {bound}].index")
    draft.step(f"{draft.name} = {draft.name}[{draft.name}[{group.name!r}].isin(frequent)]")
    groups = f"{grouped(draft, group.name, value.name)}.{draft.rng.choice(steps.of_column(value).statistics)}()"
    side = draft.rng.choice(("max", "min"))
    draft.guards += [is_clear(groups, side), f"3 <= len({groups}) < {group.distinct}"]
    return draft.finish("multi-step", f"{groups}.idx{side}()")


def _round_below(number: int) -> int:
    """The number with its digits after the first replaced by zeros."""
    size = int(10 ** (len(str(number)) - 1))
    return number // size * size


def pair_extreme(draft: Draft) -> Composed:
    """The pair of labels with the highest or lowest statistic."""
    steps.lead(draft)
    first, second = draft.label(2, 12), draft.label(2, 12)
    draft.need_pairs(first.name, second.name)
    value = steps.measure(draft, 0.15)
    groups = f"{draft.name}.groupby([{first.name!r}, {second.name!r}])[{value.name!r}]"
    draft.need_groups(groups, 4)
    found = f"{groups}.{draft.rng.choice(value.statistics)}()"
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(found, side))
    return draft.finish("extreme-group", f"{found}.idx{side}()")


def gap_between_labels(draft: Draft) -> Composed:
    """The group in which two labels differ most."""
    steps.lead(draft, 0.4)
    rows = draft.label(4, 30)
    columns = draft.choose(
        lambda c: is_label(c) and 2 <= c.distinct <= 8 and all(isinstance(v, str) for v, _ in c.values)
    )
    value = draft.number()
    (first, _), (second, _) = draft.rng.sample(columns.values, 2)
    given = f"index={rows.name!r}, columns={columns.name!r}, values={value.name!r}, aggfunc='mean'"
    draft.step(f"table = {draft.name}.pivot_table({given})")
    gap = f"(table[{first!r}] - table[{second!r}])"
    draft.guards += [
        is_clear(gap, "max"),
        f"{draft.name}.groupby([{rows.name!r}, {columns.name!r}]).size().min() >= 3",
    ]
    return draft.finish("pivot", f"{gap}.idxmax()")


def line(draft: Draft) -> Composed:
    """The slope of the least-squares line between two columns."""
    steps.lead(draft)
    x, y = draft.number(), draft.number()
    draft.imports.add("from scipy import stats")
    a, b = (f"{draft.name}[{column.name!r}]" for column in (x, y))
    draft.need_rows()
    draft.guards.append(f"0.05 < abs({a}.corr({b})) < 0.9999")
    return draft.finish("regression", f"stats.linregress({a}, {b}).slope")


def independence(draft: Draft) -> Composed:
    """The chi-squared statistic of two columns of labels."""
    steps.lead(draft)
    first, second = draft.label(2, 10), draft.label(2, 10)
    draft.need_pairs(first.name, second.name)
    draft.imports.add("from scipy import stats")
    table = f"pd.crosstab({draft.name}[{first.name!r}], {draft.name}[{second.name!r}])"
    draft.guards.append(f"int({table}.to_numpy().min()) >= 5")
    return draft.finish("test", f"stats.chi2_contingency({table})[0]")


def correlation_by_group(draft: Draft) -> Composed:
    """The group in which two columns go together most closely."""
    steps.lead(draft, 0.4)
    group = draft.label(3, 12)
    first, second = draft.number(), draft.number()
    groups = f"{draft.name}.groupby({group.name!r})"
    found = f"{groups}.apply(lambda g: g[{first.name!r}].corr(g[{second.name!r}]))"
    side = draft.rng.choice(("max", "min"))
    draft.guards += [f"{groups}.size().min() >= {LEAST_ROWS}", is_clear(found, side, apart=0.01)]
    return draft.finish("correlation", f"{found}.idx{side}()")


# --- texts ----------------------------------------------------------------------------------------------


def first_word(draft: Draft) -> Composed:
    """The most frequent beginning of a text, or how many there are."""
    steps.lead(draft)
    column = draft.choose(lambda c: steps.is_text(c) and bool(c.words))
    name = steps.fresh(draft, "first_word")
    draft.set(name, f"{draft.name}[{column.name!r}].str.split(' ').str[0]")
    draft.need_rows()
    counts = f"{draft.name}[{name!r}].value_counts()"
    draft.guards.append(f"(lambda v: len(v) >= 5 and v.iloc[0] > 1.02 * v.iloc[1])({counts})")
    return draft.finish("text", f"{counts}.idxmax()")


def words_count(draft: Draft) -> Composed:
    """How many words texts have, of rows or per group."""
    steps.lead(draft)
    column = draft.choose(steps.is_text)
    name = steps.fresh(draft, "word_count")
    draft.set(name, f"{draft.name}[{column.name!r}].str.split().str.len()")
    draft.need_values(name, 3)
    draft.need_rows()
    if draft.rng.random() < 0.5:
        return draft.finish("text", f"{draft.name}[{name!r}].mean()")
    group = draft.label(4, 30)
    groups = f"{grouped(draft, group.name, name)}.mean()"
    draft.guards.append(is_clear(groups, "max"))
    draft.need_groups(grouped(draft, group.name, name), 4)
    return draft.finish("text", f"{groups}.idxmax()")


# --- time -----------------------------------------------------------------------------------------------


def _moment(draft: Draft) -> ColumnProfile:
    return draft.choose(lambda c: c.span is not None and c.span.days >= 60 and c.span.hours == 1)


def by_date_part(draft: Draft) -> Composed:
    """A statistic by year, month, weekday or hour."""
    steps.lead(draft)
    part, value = steps.date_part(draft, 4), steps.measure(draft)
    groups = f"{grouped(draft, part, value.name)}.{draft.rng.choice(value.statistics)}()"
    draft.need_groups(grouped(draft, part, value.name), 4)
    if draft.rng.random() < 0.4:
        return draft.finish("time-series", groups, {"group-aggregate"})
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(groups, side))
    return draft.finish("time-series", f"{groups}.idx{side}()", {"extreme"})


def resample(draft: Draft) -> Composed:
    """A statistic per month or year, and its extreme or largest change."""
    steps.lead(draft, 0.3)
    column, value = _moment(draft), draft.number()
    span = column.span
    if span is None or span.years < 2:
        raise Impossible
    every = "YS" if span.years >= 6 and draft.rng.random() < 0.5 else "MS"
    if not span.parsed:
        draft.step(f"{draft.name}[{column.name!r}] = pd.to_datetime({draft.name}[{column.name!r}])")
    statistic = draft.rng.choice([name for name in steps.of_column(value).statistics if name in ("sum", "mean")])
    draft.step(f"series = {draft.name}.set_index({column.name!r})[{value.name!r}].resample({every!r}).{statistic}()")
    draft.guards.append("len(series) >= 6 and bool(series.notna().all())")
    shown = draft.rng.choice(("series", "series.diff()", "series.pct_change()"))
    if shown != "series":
        draft.step(f"series = {shown}")
    end = draft.rng.choice((".max()", ".min()", ".idxmax()", ".mean()", ".std()"))
    if "idx" in end:
        draft.guards.append(is_clear("series.dropna()", "max"))
    return draft.finish("time-series", f"series{end}")


def rolling(draft: Draft) -> Composed:
    """The extreme of a moving mean, or of a change, over all rows in order of time: none are left out between them."""
    column, value = _moment(draft), draft.number()
    if column.span is None or not column.span.unique:
        raise Impossible
    window = draft.rng.choice((3, 7, 14, 30))
    if not column.span.parsed:
        draft.step(f"{draft.name}[{column.name!r}] = pd.to_datetime({draft.name}[{column.name!r}])")
    draft.step(f"{draft.name} = {draft.name}.sort_values({column.name!r})")
    draft.need_rows(3 * window + LEAST_ROWS)
    moving = draft.rng.choice((f"rolling({window}).mean()", f"rolling({window}).sum()", "diff()", "pct_change()"))
    return draft.finish("time-series", f"{draft.name}[{value.name!r}].{moving}.{draft.rng.choice(('max', 'min'))}()")


# --- shapes, what-if, several files ----------------------------------------------------------------------


def melt(draft: Draft) -> Composed:
    """Several columns of one kind, one below the other: which has the highest statistic."""
    steps.lead(draft)
    first, second = steps.related(draft, lambda c: True)
    third = draft.number(lambda c: steps.are_alike(first, c))
    names = [first.name, second.name, third.name]
    draft.step(f"long = {draft.name}[{names!r}].melt(var_name='measure', value_name='value')")
    draft.need_rows()
    groups = f"long.groupby('measure')['value'].{draft.rng.choice(('mean', 'median'))}()"
    side = draft.rng.choice(("max", "min"))
    draft.guards.append(is_clear(groups, side))
    return draft.finish("melt", f"{groups}.idx{side}()")


def what_if(draft: Draft) -> Composed:
    """How a mean or total would change, if the values of one group were higher or lower."""
    steps.lead(draft)
    value = draft.number(steps.is_amount)
    group = draft.choose(lambda c: is_label(c) and len(c.values) >= 2)
    label, _ = draft.rng.choice(group.values[:6])
    factor = draft.rng.choice(("1.1", "1.2", "0.9", "0.8", "1.5"))
    draft.imports.add("import numpy as np")
    column = f"{draft.name}[{value.name!r}]"
    new = draft.set(
        steps.fresh(draft, f"changed_{steps.short(value.name)}"),
        f"np.where({draft.name}[{group.name!r}] == {label!r}, {column} * {factor}, {column})",
    )
    statistic = draft.rng.choice([name for name in steps.of_column(value).statistics if name != "std"])
    draft.guards.append(f"0.05 < ({draft.name}[{group.name!r}] == {label!r}).mean() < 0.95")
    draft.need_rows()
    if draft.rng.random() < 0.5:
        by = draft.label(4, 30)
        groups = f"{grouped(draft, by.name, new)}.{statistic}()"
        draft.need_groups(grouped(draft, by.name, new), 4)
        side = draft.rng.choice(("max", "min"))
        draft.guards.append(is_clear(groups, side))
        return draft.finish("what-if", f"{groups}.idx{side}()", {"extreme"})
    return draft.finish("what-if", f"{draft.name}[{new!r}].{statistic}() - {column}.{statistic}()")


Family = Callable[[Draft], Composed]


def named(*families: Family) -> Mapping[str, Family]:
    """Families by their names, by which settings choose them."""
    return {family.__name__: family for family in families}


FAMILIES: Mapping[str, Family] = named(
    aggregate, count, distinct, share, ratio, above_quantile, outliers, correlation, test_of_means, group_value,
    group_extreme, top_groups, top_rows, group_share, pivot, follow_up, group_count, share_of_total,
    above_group_mean, share_extreme, best_rows, best_of_each, frequent_groups, pair_extreme, gap_between_labels, line,
    independence, correlation_by_group, first_word, words_count, by_date_part, resample, rolling, melt, what_if,
)  # fmt: skip
"""Every family over one table's rows, by its name."""
