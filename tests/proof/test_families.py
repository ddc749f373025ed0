"""Questions of every family: their words against what the program does, and their other wordings."""

import json
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from cellwright.proof.inside.snapshots import snapshot
from cellwright.proof.questions import Proposal, Unreadable, narrate, propose, read_slice

LEAD = (
    "import pandas as pd",
    "import numpy as np",
    "from scipy import stats",
    "df = pd.read_csv('data/orders.csv')",
    "c = pd.read_csv('data/customers.csv')",
)
DATES = "df['day'] = pd.to_datetime(df['day'])"
SKIPPED = " Leave missing values out of statistics."
IN_FILE_ORDER = " Take the rows in the order of the file."


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    pd.DataFrame(
        {
            "who": [1, 1, 2, 2, 3, 3, 4, 9],
            "day": pd.date_range("2020-01-10", periods=8, freq="12D").astype(str),
            "price": [10.0, 20.0, 5.0, 40.0, 15.0, 31.0, 8.0, 25.0],
            "qty": [1, 2, 3, 1, 2, 5, 4, 2],
            "note": [
                "red apple",
                "green pear",
                "red plum",
                "red pear",
                "blue plum",
                "red apple",
                "green plum",
                "red fig",
            ],
        }
    ).to_csv(tmp_path / "data" / "orders.csv", index=False)
    customers = pd.DataFrame({"who": [1, 2, 3, 4], "city": ["Oslo", "Rome", "Oslo", "Bonn"], "limit": [5, 50, 20, 30]})
    customers.to_csv(tmp_path / "data" / "customers.csv", index=False)
    monkeypatch.chdir(tmp_path)


def ran(units: Sequence[str]) -> dict[str, object]:
    """The names that statements leave behind."""
    namespace: dict[str, object] = {}
    for unit in units:
        exec(unit, namespace)
    return namespace


def first(expression: str, *statements: str) -> tuple[Proposal, object]:
    """The first proposal whose checks hold, with the value of its program."""
    units = [*LEAD, *statements]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        namespace = ran(units)
        value = json.loads(json.dumps(snapshot(eval(expression, namespace)), default=str))
        narrate(units)
        for proposal in propose(read_slice(units, expression), value, expression):
            checks = [(check.setup, check.expression) for check in proposal.checks]
            checks += [(tuple(units), proposal.unique_check)] if proposal.unique_check else []
            if all(eval(asked, ran(setup)) for setup, asked in checks):
                return proposal, eval(proposal.expression, namespace)
    raise Unreadable("more than one right answer")


FAMILIES: dict[str, tuple[tuple[str, ...], str, str, object]] = {
    "join": (
        ("m = df.merge(c, on='who', how='left')",),
        "m['city'].isna().sum()",
        "Join `orders.csv` with `customers.csv` on `who`, keeping all rows of `orders.csv` (one row for each pair of "
        "rows that match). How many rows are there where `city` is missing?",
        1,
    ),
    "join with a changed table": (
        ("m = df[df.qty > 1].merge(c[c.limit > 10], left_on='who', right_on='who')",),
        "m['price'].sum()",
        "Let table A be what `customers.csv` becomes after this step: keep only the rows where `limit` is "
        "greater than 10. "
        "Start from `orders.csv`. First, keep only the rows where `qty` is greater than 1. Then join with table A on "
        "`who`, keeping only the rows that match (one row for each pair of rows that match). What is the sum of "
        "`price`?" + SKIPPED,
        59.0,
    ),
    "join with a table of groups": (
        ("n = df.groupby('who', as_index=False)['price'].sum()", "m = c.merge(n, on='who', how='inner')"),
        "m['price'].max()",
        "Let table A be what `orders.csv` becomes after this step: make a new table with one row for each `who`, in "
        "which `price` is the sum of `price`. Join `customers.csv` with table A on `who`, keeping only the rows that "
        "match. What is the maximum of `price`?" + SKIPPED,
        46.0,
    ),
    "ranks of the rows that are left": (
        ("df = df[df.qty > 1]",),
        "df[df.price.rank() <= 2]['qty'].sum()",
        "Start from `orders.csv`. First, keep only the rows where `qty` is greater than 1. What is the sum of `qty` "
        "over the rows where (the rank of `price`, from the lowest value (rank 1) up, where equal values get the mean "
        "of their ranks) is at most 2?" + SKIPPED,
        7,
    ),
    "neighbours among the rows that are left": (
        ("df = df[df.qty > 1]",),
        "len(df[df.price > df.price.shift(1)])",
        "Start from `orders.csv`. First, keep only the rows where `qty` is greater than 1. How many rows are there "
        "where `price` is greater than (the value of `price` in the previous row)?" + IN_FILE_ORDER,
        3,
    ),
    "groups of the rows that are left": (
        ("df = df[df.qty > 1]",),
        "len(df[df.price > df.groupby('who')['price'].transform('mean')])",
        "Start from `orders.csv`. First, keep only the rows where `qty` is greater than 1. How many rows are there "
        "where `price` is greater than (the mean of `price` over all rows with the same `who`)?" + SKIPPED,
        1,
    ),
    "named aggregates": (
        ("g = df.groupby('who').agg(total=('price', 'sum'), n=('qty', 'size')).reset_index()",),
        "g[g.n > 1]['total'].max()",
        "Start from `orders.csv`. First, make a new table with one row for each `who`, in which `total` is the sum of "
        "`price` and `n` is the number of rows. What is the maximum of `total` over the rows where `n` is "
        "greater than 1?" + SKIPPED,
        46.0,
    ),
    "top-k of groups": (
        (),
        "df.groupby('who')['price'].sum().nlargest(2).index.tolist()",
        "In `orders.csv`, which 2 values of `who` have the highest sum of `price`, highest first?" + SKIPPED,
        [3, 2],
    ),
    "months": (
        (DATES,),
        "df.set_index('day')['price'].resample('ME').sum().loc['2020-02-29']",
        "Start from `orders.csv`. First, replace `day` by `day` read as a date. What is the sum of `price` "
        "over the rows "
        "where the calendar month of `day` is 2020-02?" + SKIPPED,
        None,
    ),
    "earlier rows": (
        ("df = df.sort_values('price', ascending=False)", "df['d'] = df.price.diff()"),
        "df['d'].min()",
        "Start from `orders.csv`. First, sort the rows by `price` from highest to lowest. Then set a column `d` to the "
        "difference of `price` to its value in the previous row. What is the minimum of `d`?",
        -9.0,
    ),
    "rolling": (
        ("df['ma'] = df['price'].rolling(3).mean()",),
        "df['ma'].max()",
        "Start from `orders.csv`. First, set a column `ma` to the mean of `price` over this row and the 2 "
        "rows before it "
        "(missing unless all 3 values are there). What is the maximum of `ma`?" + IN_FILE_ORDER + SKIPPED,
        86 / 3,
    ),
    "pivot": (
        ("df['kind'] = df['note'].str.split(' ').str[1]",),
        "df.pivot_table(index='kind', columns='qty', values='price', aggfunc='sum').loc['plum', 4]",
        "Start from `orders.csv`. First, set a column `kind` to the 2nd of the parts of `note` split at each "
        '" ". What is '
        'the sum of `price` over the rows where `kind` is "plum" and `qty` is 4?' + SKIPPED,
        8.0,
    ),
    "melt": (
        ("m = df.melt(id_vars='who', value_vars=['price', 'qty'], var_name='what', value_name='much')",),
        "m[m.what == 'qty']['much'].sum()",
        "Start from `orders.csv`. First, bring the columns `price` and `qty` into long form: one row for "
        "each row and each "
        "of these columns, with beside `who`, the name of the column in `what` and its value in `much`. What "
        "is the sum "
        'of `much` over the rows where `what` is "qty"?' + SKIPPED,
        20.0,
    ),
    "conditional share": (
        (),
        "(df[df.qty > 1].price > 15).mean() * 100",
        "In `orders.csv`, what is the percentage (0 to 100) of rows where `price` is greater than 15 among "
        "the rows where "
        "`qty` is greater than 1?",
        50.0,
    ),
    "share of groups": (
        ("df['share'] = df['price'] / df.groupby('who')['price'].transform('sum')",),
        "df[df.share < 1]['share'].max()",
        "Start from `orders.csv`. First, set a column `share` to `price` / (the sum of `price` over all rows "
        "with the same `who`). What is the maximum of `share` over the rows where `share` is less than 1?" + SKIPPED,
        40 / 45,
    ),
    "what if": (
        ("old = df['price'].sum()", "df.loc[df.qty > 2, 'price'] = df.loc[df.qty > 2, 'price'] * 1.5"),
        "df['price'].sum() - old",
        "Let value A be the sum of `price` in `orders.csv`. Start from `orders.csv`. First, in the rows where `qty` is "
        "greater than 2, raise every `price` by 50% (multiply it by 1.5). What is (the sum of `price`) minus value A?"
        + SKIPPED,
        22.0,
    ),
    "bins": (
        ("df['band'] = pd.cut(df['price'], bins=[0, 10, np.inf], labels=['low', 'high'])",),
        "df[df.band == 'low'].shape[0]",
        'Start from `orders.csv`. First, set a column `band` to the bin of `price`: "low" for above 0 up to '
        "and including "
        '10 and "high" for above 10, else missing. How many rows are there where `band` is "low"?',
        3,
    ),
    "test": (
        (),
        "stats.ttest_ind(df[df.qty > 2].price, df[df.qty <= 2].price, equal_var=False).pvalue",
        "In `orders.csv`, what is the p-value of the two-sided Welch's t-test (variances may differ) of "
        "`price` over the "
        "rows where `qty` is greater than 2 against `price` over the rows where `qty` is at most 2?",
        None,
    ),
    "line": (
        (),
        "stats.linregress(df.qty, df.price).slope",
        "In `orders.csv`, what is the slope of the least-squares line of `price` on `qty`?",
        None,
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_words_say_what_the_program_does(family: str) -> None:
    """Each family has its question in words, and the program gives its answer."""
    statements, expression, question, answer = FAMILIES[family]
    proposal, value = first(expression, *statements)
    assert proposal.question == question
    if answer is not None:
        assert value == (pytest.approx(answer) if isinstance(answer, float) else answer)


def _facts(text: str) -> set[str]:
    """Columns, files, quoted texts and numbers that a wording names."""
    plain = re.sub(r"\(\d\) ", "", text)
    return set(re.findall(r"`[^`]*`|\"[^\"]*\"|\d+(?:\.\d+)?", plain))


@pytest.mark.parametrize("family", FAMILIES)
def test_all_wordings_name_the_same_things(family: str) -> None:
    """A question's wordings differ, and each names the same columns, files, values and rules."""
    statements, expression, _, _ = FAMILIES[family]
    told = first(expression, *statements)[0].told
    leading, others = told.led_by("some id")
    assert {leading, *others} == set(told.forms)
    assert len(set(told.forms)) == len(told.forms) >= 4
    assert all(_facts(form) == _facts(told.forms[0]) for form in told.forms)
    assert all(rule in form for form in told.forms for rule in told.rules)


DIFFERENT = [
    ("df.price.std()", "df.price.std(ddof=0)"),
    ("df[df.qty > 2].shape[0]", "df[df.qty >= 2].shape[0]"),
    ("df.price.quantile(0.25)", "df.price.quantile(0.75)"),
    ("df.price.between(10, 20).sum()", "df.price.between(10, 20, inclusive='left').sum()"),
    ("df.price.rolling(2).mean().max()", "df.price.rolling(2, min_periods=1).mean().max()"),
    ("df.price.rolling(2).mean().max()", "df.price.rolling(3).mean().max()"),
    ("df.price.shift(1).sum()", "df.price.shift(2).sum()"),
    ("df.price.shift(1).sum()", "df.price.shift(-1).sum()"),
    ("df.merge(c, on='who').shape[0]", "df.merge(c, on='who', how='left').shape[0]"),
    ("df.groupby('who').price.sum().max()", "df.groupby('who').price.mean().max()"),
    ("df.nlargest(2, 'price').qty.sum()", "df.nlargest(3, 'price').qty.sum()"),
    ("df.nlargest(2, 'price').qty.sum()", "df.nsmallest(2, 'price').qty.sum()"),
    ("pd.cut(df.price, [0, 10, 50], labels=['a', 'b']).value_counts()['a']",
     "pd.cut(df.price, [0, 10, 50], labels=['a', 'b'], right=False).value_counts()['a']"),
    ("stats.ttest_ind(df.price, df.qty)[1]", "stats.ttest_ind(df.price, df.qty, equal_var=False)[1]"),
    ("df.price.corr(df.qty)", "df.price.corr(df.qty, method='spearman')"),
    ("df.note.str.contains('RED').sum()", "df.note.str.contains('RED', case=False).sum()"),
    ("df.price.rank(method='min').max()", "df.price.rank(method='dense').max()"),
    ("(df.price * 1.1).sum()", "(df.price * 1.2).sum()"),
    ("df.price.clip(upper=20).sum()", "df.price.clip(lower=20).sum()"),
    ("df.drop_duplicates('qty').price.sum()", "df.drop_duplicates('qty', keep='last').price.sum()"),
    ("df.price.round(1).sum()", "df.price.round().sum()"),
]  # fmt: skip


@pytest.mark.parametrize("pair", DIFFERENT, ids=[first for first, _ in DIFFERENT])
def test_different_programs_have_different_questions(pair: tuple[str, str]) -> None:
    """Programs that differ in a choice differ in words, in every wording."""
    one, other = (propose(read_slice(LEAD, code), _value(code), code)[0].told.forms for code in pair)
    assert all(a != b for a, b in zip(one, other, strict=True))


def _value(code: str) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(snapshot(eval(code, ran(LEAD))), default=str))
    return found


@pytest.mark.parametrize(
    ("statements", "expression"),
    [
        ((), "df.sort_values('qty').head(2)['who'].tolist()"),
        ((), "df.sort_values('qty').price.shift(1).sum()"),
        ((), "df.groupby('qty').size().idxmin()"),
        ((DATES,), "df.set_index('day').resample('D')['price'].sum().max()"),
    ],
)
def test_what_ties_or_is_empty_is_not_asked(statements: tuple[str, ...], expression: str) -> None:
    """Rows that tie where one is taken, and periods without rows, leave more than one right answer."""
    with pytest.raises(Unreadable, match="more than one right answer"):
        first(expression, *statements)


@pytest.mark.parametrize(
    "expression",
    [
        "df.merge(c, left_index=True, right_on='who').price.sum()",
        "df.merge(c, on='who').price.cumsum().max()",
        "df.groupby('who').price.transform(lambda s: s.rank()).sum()",
        "df.price.rolling(3, center=True).mean().max()",
        "df.price.ewm(span=3).mean().max()",
        "df.note.str.split(' ', expand=True)[0].nunique()",
        "df.price.sample(3).sum()",
    ],
)
def test_what_the_words_could_not_say_is_refused(expression: str) -> None:
    """Joins on row numbers, an order that nobody gave, and methods without words are refused."""
    with pytest.raises(Unreadable):
        read_slice(LEAD, expression)


def test_missing_keys_that_would_match_are_not_asked_about() -> None:
    """pandas joins a missing key with a missing key: asked only where one of the tables has none."""
    gaps = ("df.loc[df.who == 9, 'who'] = None", "c.loc[c.who == 4, 'who'] = None")
    question, rows = first("len(df.merge(c, on='who'))", gaps[0])
    assert "missing key" not in question.question
    assert rows == 7
    with pytest.raises(Unreadable):
        first("len(df.merge(c, on='who'))", *gaps)
    asked, rows = first("len(both(df))", *gaps, "def both(t):\n    return t.merge(c, on='who')")
    assert "(a missing key matches a missing key)" in asked.question
    assert rows == 7
