"""Questions read from programs: what is asked, that the program answers it, and what is refused."""

import json
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from cellwright.proof.inside.snapshots import snapshot
from cellwright.proof.questions import Look, Proposal, Reading, Unreadable, Unseen, narrate, propose, read_slice

LEAD = ["import pandas as pd", "import numpy as np", "df = pd.read_csv('data/x.csv')"]


@pytest.fixture(autouse=True)
def tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "data").mkdir()
    pd.DataFrame(
        {
            "Team": list("ABCDEFGH"),
            "Goals": [1, 5, 7, 2, 9, 3, 4, 6],
            "Sex": ["m", "f", "m", "f", "m", "f", "m", "m"],
            "Age": [1.5, 2, None, 4, 5, 6, 7, 8],
            "When": pd.date_range("2020-01-30", periods=8).astype(str),
        }
    ).to_csv(tmp_path / "data" / "x.csv", index=False)
    pd.DataFrame({"Team": list("ABX"), "City": ["p", "q", "r"]}).to_csv(tmp_path / "data" / "y.csv", index=False)
    monkeypatch.chdir(tmp_path)


def ask(expression: str, *statements: str) -> tuple[list[Proposal], list[object]]:
    """The proposals for an expression after the lead and the statements, with the value of each proposal's program."""
    namespace: dict[str, object] = {}
    units = [*LEAD, *statements]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what pandas thinks of old notebooks' style is not what is tested
        for unit in units:
            exec(unit, namespace)
        value = json.loads(json.dumps(snapshot(eval(expression, namespace)), default=str))
    proposals = propose(read(units, expression), value, expression)
    # As in the pipeline: a question with several right answers is not asked.
    proposals = [p for p in proposals if holds(p, namespace)]
    return proposals, [eval(proposal.expression, namespace) for proposal in proposals]


def read(units: Sequence[str], expression: str) -> Reading:
    """As in the pipeline: column names that are picked by their place or kind are looked up by running."""
    seen: dict[Look, tuple[str, ...] | None] = {}
    while True:
        try:
            return read_slice(units, expression, seen)
        except Unseen as unseen:
            names = eval(unseen.look.expression, ran(unseen.look.setup))
            seen[unseen.look] = tuple(names) if all(isinstance(name, str) for name in names) else None


def holds(proposal: Proposal, namespace: dict[str, object]) -> bool:
    """Whether a question has a single answer, by its checks."""
    if proposal.unique_check is not None and not eval(proposal.unique_check, namespace):
        return False
    return all(eval(check.expression, ran(check.setup)) for check in proposal.checks)


def ran(units: Sequence[str]) -> dict[str, object]:
    """The names that statements leave behind."""
    namespace: dict[str, object] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for unit in units:
            exec(unit, namespace)
    return namespace


SKIPPED = " Leave missing values out of statistics."
FIRST = {
    "df.Age.mean()": ("In `x.csv`, what is the mean of `Age`?" + SKIPPED, 4.785714285714286),
    "df['Age'].max()": ("In `x.csv`, what is the maximum of `Age`?", 8),
    "df.shape": ("In `x.csv`, how many rows are there?", 8),
    "len(df)": ("In `x.csv`, how many rows are there?", 8),
    "df[df.Goals > 5]": ("In `x.csv`, how many rows are there where `Goals` is greater than 5?", 3),
    "df[5 < df.Goals]": ("In `x.csv`, how many rows are there where `Goals` is greater than 5?", 3),
    "(df.Goals >= 5).sum()": ("In `x.csv`, how many rows are there where `Goals` is at least 5?", 4),
    "(df.Sex == 'm').mean()": ('In `x.csv`, what is the fraction (between 0 and 1) of rows where `Sex` is "m"?', 0.625),
    "df[(df.Goals > 2) & (df.Sex == 'm')].Age.median()": (
        'In `x.csv`, what is the median of `Age` over the rows where `Goals` is greater than 2 and `Sex` is "m"?'
        + SKIPPED,
        7.0,
    ),
    "df[(df.Goals > 8) | (df.Sex == 'f')].shape[0]": (
        'In `x.csv`, how many rows are there where `Goals` is greater than 8 or `Sex` is "f"?',
        4,
    ),
    "df[~df.Age.isnull()].Goals.sum()": (
        "In `x.csv`, what is the sum of `Goals` over the rows where `Age` is not missing?" + SKIPPED,
        30,
    ),
    "df.query('Goals > 3 and Sex == \"f\"').Age.max()": (
        'In `x.csv`, what is the maximum of `Age` over the rows where `Goals` is greater than 3 and `Sex` is "f"?',
        2.0,
    ),
    "df.Age.std()": ("In `x.csv`, what is the sample standard deviation of `Age`?" + SKIPPED, 2.4470584),
    "np.std(df.Age)": ("In `x.csv`, what is the population standard deviation of `Age`?" + SKIPPED, 2.2655359),
    "df.Age.quantile(0.9)": ("In `x.csv`, what is the 90th percentile (linear interpolation) of `Age`?" + SKIPPED, 7.4),
    "df.Goals.corr(df.Age)": (
        "In `x.csv`, what is the Pearson correlation between `Goals` and `Age`?" + SKIPPED,
        0.3779292,
    ),
    "len(df[df.Sex == 'f']) / len(df)": (
        'In `x.csv`, what is (the number of rows where `Sex` is "f") divided by (the number of rows)?',
        0.375,
    ),
    "df.Age.apply(lambda a: a * 2 + 1).min()": ("In `x.csv`, what is the minimum of ((`Age` * 2) + 1)?", 4.0),
    "df[df.Goals > df.Goals.mean()].shape[0]": (
        "In `x.csv`, how many rows are there where `Goals` is greater than (the mean of `Goals`)?" + SKIPPED,
        4,
    ),
    "df.Age.isnull().sum()": ("In `x.csv`, how many rows are there where `Age` is missing?", 1),
    "df.Sex.nunique()": ("In `x.csv`, what is the number of distinct non-missing values of `Sex`?", 2),
    "df.groupby('Sex').Goals.sum().idxmax()": (
        "In `x.csv`, what is the `Sex` with the highest sum of `Goals`?" + SKIPPED,
        "m",
    ),
    "df.groupby('Sex')['Age'].mean()['f']": (
        'In `x.csv`, what is the mean of `Age` over the rows where `Sex` is "f"?' + SKIPPED,
        4.0,
    ),
    "df.set_index('Team').Goals.idxmax()": ("In `x.csv`, what is the `Team` of the row with the highest `Goals`?", "E"),
    "df.set_index('Team').loc['C', 'Goals']": (
        'In `x.csv`, what is the value of `Goals` in the row where `Team` is "C"?',
        7,
    ),
    "df.dropna().shape": (
        "Start from `x.csv`. First, drop the rows that have a missing value in any column. How many rows are there?",
        7,
    ),
    "df.dropna(subset=['Age', 'Sex'], how='all').shape": (
        "Start from `x.csv`. First, drop the rows in which `Age` and `Sex` are all missing. How many rows are there?",
        8,
    ),
    "df[df.Goals > 2].Team.unique()": (
        "In `x.csv`, what are the distinct values of `Team` over the rows where `Goals` is greater than 2?",
        ["B", "C", "E", "F", "G", "H"],
    ),
    "df.drop_duplicates(subset=['Sex']).Goals.sum()": (
        "Start from `x.csv`. First, of rows that are equal in `Sex`, keep only the first. What is the sum of `Goals`?"
        + SKIPPED,
        6,
    ),
    "pd.to_datetime(df.When).dt.month.max()": (
        "In `x.csv`, what is the maximum of the month of (`When` read as a date) (1 to 12)?",
        2,
    ),
    "df[df.Team.str.startswith('A')].Goals.sum()": (
        'In `x.csv`, what is the sum of `Goals` over the rows where `Team` starts with "A"?' + SKIPPED,
        1,
    ),
    "df[df.Goals.between(2, 4)].Age.sum()": (
        "In `x.csv`, what is the sum of `Age` over the rows where `Goals` is between 2 and 4, both included?" + SKIPPED,
        17.0,
    ),
    "round(df.Age.mean(), 1)": ("In `x.csv`, what is the mean of `Age`?" + SKIPPED, 4.8),
    "df.Age.fillna(df.Age.mean()).median()": (
        "In `x.csv`, what is the median of (`Age` with its missing values replaced by the mean of `Age`)?" + SKIPPED,
        4.892857142857142,
    ),
    "pd.merge(df, pd.read_csv('data/y.csv'), on='Team').shape[0]": (
        "Join `x.csv` with `y.csv` on `Team`, keeping only the rows that match (one row for each pair of rows that "
        "match). How many rows are there?",
        2,
    ),
    "df.sort_values('Goals', ascending=False).head(3)": (
        "In `x.csv`, sort the rows by `Goals` from highest to lowest: "
        "what are the values of `Team` in the first 3 rows, in that order?",
        ["E", "C", "H"],
    ),
    "df.nlargest(2, 'Age')": (
        "In `x.csv`, sort the rows by `Age` from highest to lowest: "
        "what are the values of `Team` in the first 2 rows, in that order?",
        ["H", "G"],
    ),
    "df.Team[df.Goals > 6]": ("In `x.csv`, how many rows are there where `Goals` is greater than 6?", 2),
}


@pytest.mark.parametrize("expression", FIRST)
def test_first_question(expression: str) -> None:
    """The question says in words what the program does, and the program gives the answer."""
    proposals, answers = ask(expression)
    question, answer = FIRST[expression]
    assert proposals[0].question == question
    assert answers[0] == pytest.approx(answer) if isinstance(answer, float) else answers[0] == answer


BRANCHES = (
    "if n <= 2:\n        return 'few'\n    elif 2 < n <= 5:\n        return 'some'\n    else:\n        return 'many'",
    "if n <= 2:\n        return 'few'\n    if n <= 5:\n        return 'some'\n    return 'many'",
    "if n > 2:\n        if n > 5:\n            return 'many'\n        return 'some'\n    else:\n        return 'few'",
)


@pytest.mark.parametrize("body", BRANCHES)
def test_a_function_of_branches_is_one_expression(body: str) -> None:
    """Each returns, in whatever order and depth."""
    proposals, answers = ask(
        "df[df.Size == 'some'].Age.sum()", f"def size(n):\n    {body}", "df['Size'] = df.Goals.apply(size)"
    )
    assert "`Goals` is" in proposals[0].question
    assert answers[0] == 2 + 6 + 7  # of the teams with 5, 3 and 4 goals


NOT_AS_SAID = (
    "df.assign(Up=df.Goals > 3)[['Up', 'Goals']].diff().Up.sum()",  # of truths, whether they differ
    "df[['Goals', 'Age']].pct_change().Goals.min()",  # older versions fill gaps
)


@pytest.mark.parametrize("expression", NOT_AS_SAID)
def test_what_pandas_means_otherwise_is_not_asked(expression: str) -> None:
    """A check that is run sees it, where the words do not."""
    assert ask(expression) == ([], [])


def test_running_values_that_stop_at_a_gap_have_no_words() -> None:
    """Missing values are then not left out."""
    for expression in ("df.Age.cumsum(skipna=False).max()", "df[['Age']].cummax(skipna=False).Age.max()"):
        with pytest.raises(Unreadable):
            read(LEAD, expression)


IN_ROWS = {
    "df.loc[2:4, 'Goals'].sum()": ("keep only the 3rd to the 5th row. What is the sum of `Goals`?", 18),
    "df.iloc[1:3, [1, 3]].Age.mean()": ("keep only the 2nd to the 3rd row. What is the mean of `Age`?", 2.0),
    "df.iloc[:, 1].mean()": ("In `x.csv`, what is the mean of `Goals`?", 4.625),
    "df.loc[:, 'Goals':'Age'].isnull().sum().sum()": ("the columns `Goals`, `Sex` and `Age` together?", 1),
    "df.loc[0, 'Goals']": ("what is the value of `Goals` in the first row?", 1),
    "df.at[2, 'Team']": ("what is the value of `Team` in the 3rd row?", "C"),
    "df.iloc[0, 1]": ("what is the value of `Goals` in the first row?", 1),
    "df.set_index('Team').loc['C']['Goals']": ('what is the value of `Goals` in the row where `Team` is "C"?', 7),
    "df.iloc[-3:].Goals.sum()": ("keep only the last 3 rows. What is the sum of `Goals`?", 13),
    "df.iloc[:-2].Goals.sum()": ("keep only all rows but the last 2. What is the sum of `Goals`?", 27),
    "df.iloc[::2].Goals.mean()": ("keep only every 2nd row, beginning with the first. What is the mean", 5.25),
    "df.iloc[[0, 2, 5]].Goals.sum()": ("keep only the 1st, 3rd and 6th rows. What is the sum of `Goals`?", 11),
    "df.iloc[[2, 3, 4]].Goals.sum()": ("keep only the 3rd to the 5th row. What is the sum of `Goals`?", 18),
    "df.Goals.iloc[2:5].sum()": ("keep only the 3rd to the 5th row. What is the sum of `Goals`?", 18),
    "df.Goals[2:5].sum()": ("keep only the 3rd to the 5th row. What is the sum of `Goals`?", 18),
    "df.set_index('Team').loc['B':'D'].Goals.sum()": ('`Team` is at least "B" and `Team` is at most "D"', 14),
    "df.select_dtypes('number').isnull().sum().sum()": ("in the columns `Goals` and `Age` together?", 1),
    "df[df.columns[1:4]].isnull().sum().sum()": ("the columns `Goals`, `Sex` and `Age` together?", 1),
    "df[[c for c in df.columns if df[c].dtype == 'float64']].Age.max()": ("what is the maximum of `Age`?", 8.0),
    "df.filter(like='e').isnull().sum().sum()": ("in the columns `Team`, `Sex`, `Age` and `When` together?", 1),
    "df[np.invert(df.Goals > 3)].Age.sum()": ("rows where it is not true that `Goals` is greater than 3?", 11.5),
    "df.Age.ffill().sum()": ("each missing value replaced by that of the nearest earlier row that has one", 35.5),
    "len(df.index)": ("how many rows are there?", 8),
    "df.describe().T.loc['Age', 'max']": ("what is the maximum of `Age`?", 8.0),
    "df.Age.fillna(0)": ("of (`Age` with its missing values replaced by 0)?", None),
    "len(set(df.Sex))": ("what is the number of distinct values of `Sex`", 2),
    "df[list(df.columns)[1:4]].isnull().sum().sum()": ("the columns `Goals`, `Sex` and `Age` together?", 1),
    "df[['Goals', 'Age']].mean().idxmax()": ("the column among `Goals` and `Age` with the highest mean?", "Age"),
    "df[['Goals', 'Sex']].nunique()": ("for each column among `Goals` and `Sex`, what is the number", None),
}


NUMBERS = "df[['Goals', 'Age']]"
EVERY_VALUE = {
    f"{NUMBERS}.diff().Goals.max()": (
        "replace every value of `Goals` and `Age` by its difference to the value that its column has in the previous "
        "row. What is the maximum of `Goals`?",
        7,
    ),
    f"{NUMBERS}.pct_change(fill_method=None)['Goals'].min()": (
        "by its relative change since the previous row (0.1 for a rise by 10%). What is the minimum of `Goals`?",
        2 / 7 - 1,
    ),
    f"{NUMBERS}.cumsum().Goals.median()": (
        "by the running total of its column up to and with this row (missing where its own value is missing).",
        19.5,
    ),
    f"{NUMBERS}.shift(2).Goals.sum()": ("by the value that its column has in the row 2 rows before.", 27),
    f"np.log({NUMBERS}).Goals.min()": ("by the natural logarithm of the value. What is the minimum of `Goals`?", 0),
    "df.Goals.cov(df.Age)": ("what is the sample covariance between `Goals` and `Age`?", 2.4880952),
    f"{NUMBERS}.cov()": ("what is the sample covariance between `Age` and `Goals`?", 2.4880952),
    f"{NUMBERS}.corrwith(df.Age)": ("what is the Pearson correlation between `Goals` and `Age`?", 0.3779292),
    "df[['Goals']].corrwith(df.Age)": ("correlation", None),
    f"{NUMBERS}.cumsum().Age.mean()": (
        "(missing where its own value is missing). What is the mean of `Age`?",
        102.5 / 7,
    ),
    "df.rename(columns={'Age': 'A'}).drop(columns=['Team', 'Sex', 'When']).set_index('A').diff().Goals.max()": (
        "replace every value but those of `A` by its difference",
        7,
    ),
    "df.groupby('Team')[['Goals']].sum().cumsum().loc['C', 'Goals']": ("sort the rows by `Team` from lowest", 13),
    f"{NUMBERS}.cov().loc['Goals', 'Age']": ("what is the sample covariance between `Age` and `Goals`?", 2.4880952),
    "pd.crosstab(df.Sex, df.Team).reindex(index=['m', 'f']).loc['f', 'B']": (
        'how many rows are there where `Sex` is "f" and `Team` is "B"?',
        1,
    ),
}


@pytest.mark.parametrize("expression", EVERY_VALUE)
def test_what_is_done_to_every_value_is_a_step(expression: str) -> None:
    """Of a whole table as of one column; covariances as correlations."""
    words, answer = EVERY_VALUE[expression]
    proposals, answers = ask(expression)
    assert words in proposals[0].question
    if answer is not None:
        assert answers[0] == pytest.approx(answer, rel=1e-6)


@pytest.mark.parametrize("expression", IN_ROWS)
def test_rows_and_columns_by_place(expression: str) -> None:
    """Rows that are counted, labels in a range and columns that only the table tells are said in words."""
    proposals, answers = ask(expression)
    words, answer = IN_ROWS[expression]
    assert words in proposals[0].question
    if answer is not None:
        assert answers[0] == answer


DATED = ["df['When'] = pd.to_datetime(df.When)", "df = df.set_index('When')"]


def test_part_of_a_date_ends_where_it_ends() -> None:
    """A month as the upper end of a range holds its last day."""
    proposals, answers = ask("df.loc[:'2020-01'].Goals.sum()", *DATED)
    assert "`When` is at most the end of 2020-01" in proposals[0].question
    assert answers[0] == 6


@pytest.mark.parametrize(
    ("expression", "statements"),
    [
        ("df[df.Goals > 3].loc[2:4, 'Goals'].sum()", ()),
        ("df.sort_values('Sex').iloc[:3].Goals.sum()", ()),
        ("df.set_index('Sex').loc['f', 'Goals']", ()),
        ("df.set_index('Goals').loc[5:9, 'Age'].sum()", ()),
        ("df.loc['2020-02', 'Goals']", tuple(DATED)),
    ],
)
def test_places_that_are_not_what_they_seem(expression: str, statements: Sequence[str]) -> None:
    """Labels that are no row numbers, ties in the order, labels of several rows or in no order are not asked about."""
    assert ask(expression, *statements)[0] == []


def test_labels_of_a_first_column_are_told() -> None:
    """A row by the label that the first column gives, whose name is not known."""
    read = "df = pd.read_csv('data/x.csv', index_col=0)"
    proposals, answers = ask("df[df.Goals > 8].shape[0]", read, "df.loc['C', 'Goals'] = 10")
    assert "Take the first column of `x.csv` as row labels" in proposals[0].question
    assert 'in the row labelled "C", replace `Goals` by 10.' in proposals[0].question
    assert answers[0] == 2


def test_columns_without_a_statistic_are_not_told_of() -> None:
    """Texts that a statistic leaves out are not said to have one."""
    table = "g = df.groupby('Sex')[['Goals', 'Team']].mean(numeric_only=True).reset_index()"
    proposals, _ = ask("g.Goals.max()", table)
    assert "in which `Goals` is the mean of `Goals`." in proposals[0].question


def test_length_of_a_column_is_one_number() -> None:
    """`shape` of a column has one part, and that is asked for."""
    proposals, answers = ask("df.Goals.shape")
    assert proposals[0].question == "In `x.csv`, how many rows are there?"
    assert answers[0] == 8


def test_change_of_counted_rows_is_told() -> None:
    """A value that is put into rows by their place is a step."""
    proposals, answers = ask("df.Goals.sum()", "df.loc[0:1, 'Goals'] = 5", "df.at[7, 'Goals'] = 0")
    assert (
        "in the first 2 rows, replace `Goals` by 5. Then in the 8th row, replace `Goals` by 0" in proposals[0].question
    )
    assert answers[0] == 35


ALIKE = {
    "df[['Goals', 'Age']] = df[['Goals', 'Age']].fillna(0)": (
        "First, in `Goals` and `Age`, replace every missing value by 0. What is the sum of `Age`?",
        33.5,
    ),
    "df[['Age']] = df[['Age']].apply(lambda s: s - s.min())": (
        "First, replace `Age` by `Age` - (the minimum of `Age`). What is the sum of `Age`?",
        23.0,
    ),
    "df[['Age']] = df[['Age']].apply(pd.to_numeric, errors='coerce')": (
        "First, replace `Age` by `Age` read as a number (missing where it is none). What is the sum of `Age`?",
        33.5,
    ),
    "df[['Goals']] = df[['Goals']].astype(float)": ("In `x.csv`, what is the sum of `Age`?", 33.5),
    "df = df.astype({'Goals': 'float', 'Sex': 'object'})": ("In `x.csv`, what is the sum of `Age`?", 33.5),
}


@pytest.mark.parametrize("statement", ALIKE)
def test_columns_that_are_changed_alike(statement: str) -> None:
    """What is done to several columns at once is told of each, and what changes no value is not told."""
    proposals, answers = ask("df.Age.sum()", statement)
    words, answer = ALIKE[statement]
    assert words in proposals[0].question
    assert answers[0] == answer


COLLECTING = """
for name in df.columns:
    if 'o' in name:
        chosen.append(name)
"""


def test_names_that_a_loop_collects_are_looked_up() -> None:
    """A loop over the columns that only fills a list gives names, to which more may be added."""
    proposals, answers = ask(
        "df.shape[0]", "chosen = []", COLLECTING, "chosen.append('Age')", "df = df.dropna(subset=chosen)"
    )
    assert "drop the rows in which `Goals` or `Age` is missing" in proposals[0].question
    assert answers[0] == 7


def test_rows_drawn_at_random_are_about_their_table() -> None:
    """Whoever shows some rows by chance looks at the table that they come from."""
    proposals, _ = ask("df[['Goals', 'Age']].sample(3)")
    assert proposals
    assert not any("random" in proposal.question or ".sample" in proposal.expression for proposal in proposals)


def test_columns_renamed_by_rule_are_named() -> None:
    """New names that only running tells stand in the question."""
    proposals, answers = ask("df.goals.sum()", "df.columns = df.columns.str.lower()")
    assert "name the columns, in order, `team`, `goals`, `sex`, `age` and `when`" in proposals[0].question
    assert answers[0] == 37


def test_steps_are_told_in_order() -> None:
    """Statements that change the table become steps of the question."""
    proposals, _ = ask("df.ratio.max()", "df = df[df.Age.notna()]", "df['ratio'] = df.Goals / df.Age")
    assert proposals[0].question == (
        "Start from `x.csv`. First, keep only the rows where `Age` is not missing. "
        "Then set a column `ratio` to `Goals` / `Age`. What is the maximum of `ratio`?"
    )


def test_in_place_change_through_an_alias_is_seen() -> None:
    """Two names of one table share its changes, as in Python."""
    proposals, _ = ask("df.isnull().sum().sum()", "other = df", "other.drop(columns=['Sex'], inplace=True)")
    assert "drop the column `Sex`" in proposals[0].question


def test_copy_is_not_changed_by_its_copy() -> None:
    """A copy's changes are not the original's."""
    proposals, _ = ask("df.Age.sum()", "other = df.copy()", "other['Age'] = 0")
    assert proposals[0].question == "In `x.csv`, what is the sum of `Age`?" + SKIPPED


def test_groups_are_asked_in_two_ways() -> None:
    """A short table by group is asked about as a whole and in part."""
    proposals, _ = ask("df.groupby('Sex')['Goals'].max()")
    assert proposals[0].question == "In `x.csv`, for each `Sex`, what is the maximum of `Goals`?"
    assert len(proposals) == 2


def test_shared_extreme_is_not_asked_for() -> None:
    """Where two labels share the highest value, no question asks for the one."""
    proposals, _ = ask("df.groupby('Team').Sex.count()")
    assert not any("highest" in p.question or "lowest" in p.question for p in proposals)


def test_statistics_of_identifiers_are_not_asked_for() -> None:
    """The mean of a row number means nothing."""
    proposals, _ = ask("df.describe()", "df['Row ID'] = 1", "df['passengerid'] = 2")
    assert proposals
    assert not any(f" of `{name}`" in p.question for p in proposals for name in ("Row ID", "passengerid"))


UNREADABLE = [
    "df.sample(3).Age.mean()",
    "df.sample(3).sort_values('Goals').head(1)",
    "df.columns",
    "df.Age.interpolate()",
    "df.apply(type)",
    "df.iloc[0]",
    "df.Goals.idxmax()",
    "[r for r in df.Team]",
    "df.Age.std(ddof=3)",
    "df[df.Sex == 'NaN'].Age.mean()",
]


@pytest.mark.parametrize("expression", UNREADABLE)
def test_what_has_no_words_is_refused(expression: str) -> None:
    """A program that the reader does not know is refused, not guessed at."""
    with pytest.raises(Unreadable):
        ask(expression)


@pytest.mark.parametrize(
    "statement",
    [
        "for c in df.columns: df[c] = df[c]",
        "if len(df) > 3: df = df.dropna()",
        "df = df.sample(frac=0.5, random_state=1)",
        "def f(x):\n    x['Age'] = 1\n    return x",
        "def f(x):\n    for y in x: pass\n    return y",
        "def f(x):\n    if x > 1:\n        return x\n    elif x > 0:\n        x = 2",
        "df.Age.fillna(0, inplace=True)",
        "df['Age'] = np.random.rand(8)",
    ],
)
def test_statement_without_words_is_refused(statement: str) -> None:
    """A slice with one statement that the reader does not know is refused as a whole."""
    with pytest.raises(Unreadable):
        read_slice([*LEAD, statement], "df.Age.mean()")


def test_condition_on_other_rows_is_refused() -> None:
    """A mask made before rows were dropped is not a condition on the rows that are left."""
    with pytest.raises(Unreadable, match="other rows"):
        read_slice([*LEAD, "m = df.Goals > 3", "df = df.dropna()"], "df[m].Age.mean()")


def test_narration_has_a_sentence_per_statement() -> None:
    """Each statement gets a comment that says what it does."""
    sentences = narrate([*LEAD, "old = df[df.Age > 4]"])
    assert sentences == [
        "Import what is needed.",
        "Import what is needed.",
        "Load `x.csv`.",
        "Keep only the rows where `Age` is greater than 4.",
    ]


def test_constants_of_a_notebook_cannot_run_code() -> None:
    """Arithmetic of constants is bounded: nothing huge is computed while reading."""
    with pytest.raises(Unreadable):
        read_slice([*LEAD, "n = 9 ** 9 ** 9"], "df.head(n)")


def test_shown_rows_are_asked_about_as_a_whole() -> None:
    """The first rows on display lead to questions about all rows, with the steps that made the table."""
    proposals, values = ask("df.head()", "df = df[df.Goals > 1]")
    assert proposals
    for proposal, value in zip(proposals, values, strict=True):
        assert "`Goals` is greater than 1" in proposal.question
        assert ".head" not in proposal.expression
        assert value is not None


def test_rows_that_were_cut_off_before_are_not_forgotten() -> None:
    """A table that is itself the first rows of another one is asked about as such."""
    proposals, _ = ask("small", "small = df[['Team', 'Goals']][0:4]")
    assert all("keep only the first 4 rows" in proposal.question for proposal in proposals)
    assert proposals


@pytest.mark.parametrize(
    ("expression", "statements", "steps"),
    [
        ("df.Age.mean()", ["df['half'] = df.Age / 2"], False),
        ("df.half.mean()", ["df['half'] = df.Age / 2"], True),
        ("df.Age.mean()", ["df = df.rename(columns={'Goals': 'g'})"], False),
        ("df.Age.mean()", ["df = df.sort_values('Goals')"], False),
        ("df.Age.mean()", ["df = df.sort_values('Goals')", "df = df.drop_duplicates('Sex')"], True),
        ("df.Age.mean()", ["df = df.drop(columns='Goals')"], False),
        ("df.Age.mean()", ["df = df.drop(columns='Goals')", "df = df.dropna()"], True),
        ("df.Age.mean()", ["df = df.drop(columns='Goals')", "df = df.drop_duplicates()"], True),
        ("df.shape[1]", ["df['half'] = df.Age / 2"], True),
    ],
)
def test_steps_that_make_no_difference_are_left_out(expression: str, statements: list[str], steps: bool) -> None:
    """A new column, an order or a dropped column is spoken of only where something later depends on it."""
    (first, *_), _ = ask(expression, *statements)
    assert first.question.startswith("In `x.csv`, ") != steps


def test_functions_of_the_notebook_are_read() -> None:
    """A function that assigns names and returns, with defaults, and one that chooses between two values."""
    load = "def load(name, folder='data'):\n    path = folder + '/' + name\n    return pd.read_csv(path)"
    assert ask("len(load('y.csv'))", load)[0][0].question == "In `y.csv`, how many rows are there?"
    grade = "def grade(g):\n    if g > 5:\n        return 'high'\n    else:\n        return 'low'"
    proposals, _ = ask("df['Goals'].apply(grade).value_counts()", grade)
    assert '"high" where `Goals` is greater than 5, else "low"' in proposals[0].question


def test_whole_number_rounding_is_said() -> None:
    """What the notebook rounds to a whole number is asked for as such."""
    proposals, _ = ask("round(df.Age.mean())")
    assert proposals[0].decimals == 0
