"""Every choice that a question can leave open stops the task that leaves it open, and not the one that states it."""

import datetime
import io
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from cellwright.core.types import Contract, Task
from cellwright.proof.gates import GATES, Judged
from cellwright.proof.gates.ambiguity import Ambiguity
from cellwright.proof.gates.choices import CHOICES
from tests.proof.gates.proving import asked_task, judged_by, stopped, stored

NUMBER, WHOLE, TEXT = Contract("number", decimals=2), Contract("integer"), Contract("text")


def _rows(header: str, *rows: str) -> str:
    return "\n".join((header, *rows, ""))


def _day(number: int) -> datetime.date:
    return datetime.date(2024, 1, 1) + datetime.timedelta(days=number)


def _workbook() -> bytes:
    """Two sheets with the same columns and other numbers."""
    file = io.BytesIO()
    with pd.ExcelWriter(file) as writer:
        for sheet, first in (("North", 10), ("South", 70)):
            frame = pd.DataFrame({"office": [f"{sheet} {n}" for n in range(15)], "staff": range(first, first + 15)})
            frame.to_excel(writer, sheet_name=sheet, index=False)
    return file.getvalue()


_CITIES, _ROOMS = ("Rome", "Oslo", "Bern"), ("A1", "B2", "C3", "")
_FUELS = ("oil", "gas", "oil", "OIL", "gas", "coal", "coal", "coal")
_CODES = ("A.1", "AB1", "A.2", "B.1", "C9")
TABLES: dict[str, str | bytes] = {
    "shop.csv": _rows(
        "city,sold,price,rating",
        *(f"{_CITIES[n % 3 if n < 29 else 0]},{n},{n + 0.5 + n % 2 / 2},{'' if n % 5 else n}" for n in range(30)),
    ),
    "halls.csv": _rows("city,staff", "Rome,4", "Oslo,2", "Paris,30", "Bonn,7"),
    "branches.csv": _rows("city,staff", "Rome,4", "Rome,9", "Oslo,2", "Paris,30"),
    "shifts.csv": _rows(
        "morning,evening",
        *(f"{'' if n % 4 == 1 else n % 7 + 1},{'' if n % 6 == 2 else n % 5 + 2}" for n in range(20)),
    ),
    "guests.csv": _rows("room,nights", *(f"{_ROOMS[n % 4]},{n % 6 + (4 if n % 4 == 3 else 1)}" for n in range(24))),
    "visits.csv": _rows("guest,spent", *(f"G{n * n % 7},{n % 9 + 1}" for n in reversed(range(24)))),
    "fuels.csv": _rows("fuel,litres", *(f"{_FUELS[n % 8]},{n + 10}" for n in range(24))),
    "plants.csv": _rows(
        "fuel,age", *(f"{'peat' if n < 4 else ('oil', 'gas', 'oil', 'coal')[n % 4]},{n}" for n in range(24))
    ),
    "parts.csv": _rows("code,weight", *(f"{_CODES[n % 5]},{n + 3}" for n in range(25))),
    "lamps.csv": _rows("depth,light", *(f"{n},{1000 / (n + 1) ** 2 + n * 7 % 5:.2f}" for n in range(24))),
    "trips.csv": _rows("day,km", *(f"{n % 12 + 1:02}/{n * n % 12 + 1:02}/2024,{n + 3}" for n in range(24))),
    "calls.csv": _rows("day,calls", *(f"{_day(3 * n)},{n % 7 + n}" for n in range(24))),
    "weather.csv": _rows("heat", *(str(60 - 2 * n + n % 3) for n in range(24))),
    "ledger.csv": _rows("entry,amount", *(f"bill {n},{n * 7 % 11 + n}" for n in range(12)), "Total,121"),
    "book.xlsx": _workbook(),
}


class Case(NamedTuple):
    """One program, and two questions that it answers."""

    choice: str
    program: str
    answer: object
    contract: Contract
    leaves_open: str
    states: str


def _of(table: str, expression: str) -> str:
    """A program over one table, `df`."""
    return f"import pandas as pd\ndf = pd.read_csv('data/{table}')\n{expression}"


def _joined(table: str, expression: str) -> str:
    """A program over the shop's table, `df`, and one that is joined with it, `other`."""
    return _of("shop.csv", f"other = pd.read_csv('data/{table}')\n{expression}")


CASES = [
    Case(
        "divisor of the variance",
        _of("shop.csv", "df.price.std()"),
        8.82,
        NUMBER,
        "In `shop.csv`, what is the standard deviation of `price`?",
        "In `shop.csv`, what is the sample standard deviation of `price`?",
    ),
    Case(
        "missing values",
        _of("shop.csv", "df.rating.fillna(0).mean()"),
        2.5,
        NUMBER,
        "In `shop.csv`, what is the mean of `rating`?",
        "In `shop.csv`, what is the mean of `rating`, with 0 in the place of what is missing?",
    ),
    Case(
        "missing values in statistics",
        _of("shifts.csv", "df[['morning', 'evening']].sum(axis=1, skipna=False).mean()"),
        7.83,
        NUMBER,
        "In `shifts.csv`, add `morning` and `evening` up in each row. What is the mean of the sums?",
        "In `shifts.csv`, add `morning` and `evening` up in each row, missing where one of them is. What is the mean "
        "of the sums?",
    ),
    Case(
        "rows without a group",
        _of("guests.csv", "df.groupby('room').nights.sum().max()"),
        24,
        WHOLE,
        "In `guests.csv`, what is the highest sum of `nights` of a `room`?",
        "In `guests.csv`, what is the highest sum of `nights` of a `room`? (Rows with none are in no group.)",
    ),
    Case(
        "rows without a group",
        _of("guests.csv", "df.groupby('room', dropna=False).nights.sum().median()"),
        21.0,
        NUMBER,
        "In `guests.csv`, what is the median of the sums of `nights` of each `room`?",
        "In `guests.csv`, what is the median of the sums of `nights` of each `room`? (No row is in no group: "
        "those with none are one.)",
    ),
    Case(
        "ties",
        _of("shop.csv", "df[df.sold < 6].city.value_counts().sort_index().idxmax()"),
        "Bern",
        TEXT,
        "In `shop.csv`, which `city` is the most frequent where `sold` is less than 6?",
        "In `shop.csv`, which `city` is the most frequent where `sold` is less than 6? (If there is more than one, the "
        "one that is first in alphabetical order.)",
    ),
    Case(
        "which of the duplicates stays",
        _of("visits.csv", "df.drop_duplicates('guest').spent.sum()"),
        16,
        WHOLE,
        "In `visits.csv`, take one row for each different `guest`. What is the sum of `spent`?",
        "In `visits.csv`, take the first row of each different `guest`. What is the sum of `spent`?",
    ),
    Case(
        "which of the duplicates stays",
        _of("visits.csv", "df.drop_duplicates('guest', keep='last').spent.sum()"),
        10,
        WHOLE,
        "In `visits.csv`, take one row for each different `guest`. What is the sum of `spent`?",
        "In `visits.csv`, take the last row of each different `guest`. What is the sum of `spent`?",
    ),
    Case(
        "bounds",
        _of("shop.csv", "(df.sold > 15).sum()"),
        14,
        WHOLE,
        "In `shop.csv`, how many rows have a `sold` beyond 15?",
        "In `shop.csv`, how many rows have a `sold` of more than 15?",
    ),
    Case(
        "bounds",
        _of("shop.csv", "((df.sold >= 10) & (df.sold < 20)).sum()"),
        10,
        WHOLE,
        "In `shop.csv`, how many rows have a `sold` of 10 to 20?",
        "In `shop.csv`, how many rows have a `sold` of at least 10 and less than 20?",
    ),
    Case(
        "edges of bins",
        _of("shop.csv", "df.sold[pd.cut(df.sold, [0, 10, 20, 30], labels=['low', 'mid', 'high']) == 'mid'].sum()"),
        155,
        WHOLE,
        'In `shop.csv`, cut `sold` at 0, 10, 20 and 30 into "low", "mid" and "high". What is the sum of "mid"?',
        'In `shop.csv`, cut `sold` at 0, 10, 20 and 30 into "low", "mid" and "high"; a number on an edge belongs to '
        'what is under it. What is the sum of "mid"?',
    ),
    Case(
        "edges of bins",
        "import numpy as np\n" + _of("shop.csv", "df.sold[np.digitize(df.sold, [10, 20], True) == 1].sum()"),
        155,
        WHOLE,
        "In `shop.csv`, cut `sold` at 10 and 20 into three bins. What is the sum of the middle one?",
        "In `shop.csv`, cut `sold` at 10 and 20 into three bins, 20 included in the middle one and 10 left out. What "
        "is the sum of the middle one?",
    ),
    Case(
        "edges of bins",
        _of("visits.csv", "df.spent[pd.qcut(df.spent, 3, labels=['low', 'mid', 'high']) == 'high'].sum()"),
        48,
        WHOLE,
        'In `visits.csv`, cut `spent` into thirds, "low", "mid" and "high". What is the sum of "high"?',
        'In `visits.csv`, cut `spent` into thirds, "low", "mid" and "high"; a number on an edge belongs to '
        'what is under it. What is the sum of "high"?',
    ),
    Case(
        "edges of bins",
        _of("shop.csv", "df.sold.value_counts(bins=[0, 10, 20, 30], sort=False).iloc[0]"),
        11,
        WHOLE,
        "In `shop.csv`, cut `sold` at 0, 10, 20 and 30. How many rows are in the lowest bin?",
        "In `shop.csv`, cut `sold` at 0, 10, 20 and 30. How many rows are in the lowest bin, 10 included?",
    ),
    Case(
        "edges of bins",
        _of(
            "shop.csv",
            "bins = pd.IntervalIndex.from_breaks([0, 10, 20, 30])\ndf.sold[pd.cut(df.sold, bins).cat.codes == 1].sum()",
        ),
        155,
        WHOLE,
        "In `shop.csv`, cut `sold` at 0, 10, 20 and 30. What is the sum of the middle bin?",
        "In `shop.csv`, cut `sold` at 0, 10, 20 and 30. What is the sum of the middle bin, its upper end included?",
    ),
    Case(
        "duplicates",
        _of("visits.csv", "df.drop_duplicates().spent.sum()"),
        93,
        WHOLE,
        "In `visits.csv`, what is the sum of `spent`?",
        "In `visits.csv`, what is the sum of `spent` over the distinct rows?",
    ),
    Case(
        "percentage or fraction",
        _of("shop.csv", "(df.sold > 20).mean()"),
        0.3,
        NUMBER,
        "In `shop.csv`, what is the share of the rows where `sold` is greater than 20?",
        "In `shop.csv`, what is the fraction (between 0 and 1) of the rows where `sold` is greater than 20?",
    ),
    Case(
        "percentage or fraction",
        _of("shop.csv", "df.city.value_counts(normalize=True).max() * 100"),
        36.67,
        NUMBER,
        "In `shop.csv`, what share of the rows has the most frequent `city`?",
        "In `shop.csv`, what percentage of the rows has the most frequent `city`?",
    ),
    Case(
        "upper and lower case",
        _of("fuels.csv", "(df.fuel == 'oil').sum()"),
        6,
        WHOLE,
        "In `fuels.csv`, how many rows have oil as their `fuel`?",
        'In `fuels.csv`, how many rows have "oil" as their `fuel`?',
    ),
    Case(
        "upper and lower case of a part",
        _of("fuels.csv", "df.fuel.str.contains('oil').sum()"),
        6,
        WHOLE,
        'In `fuels.csv`, how many rows have a `fuel` that contains "oil"?',
        'In `fuels.csv`, how many rows have a `fuel` that contains "oil" (in lowercase)?',
    ),
    Case(
        "text or pattern",
        _of("parts.csv", "df.code.str.contains('A.1').sum()"),
        10,
        WHOLE,
        'In `parts.csv`, how many rows have a `code` that contains "A.1"?',
        'In `parts.csv`, how many rows have a `code` that matches the regular expression "A.1" in a part?',
    ),
    Case(
        "rounding on the way",
        _of("lamps.csv", "df.light.round().sum()"),
        1651.0,
        NUMBER,
        "In `lamps.csv`, what is the sum of `light`?",
        "In `lamps.csv`, what is the sum of `light`, each rounded to a whole number first?",
    ),
    Case(
        "interpolation",
        _of("shop.csv", "df.price.quantile(0.12)"),
        4.24,
        NUMBER,
        "In `shop.csv`, what is the 12th percentile of `price`?",
        "In `shop.csv`, what is the 12th percentile (linear interpolation) of `price`?",
    ),
    Case(
        "kind of correlation",
        _of("lamps.csv", "df.depth.corr(df.light)"),
        -0.49,
        NUMBER,
        "In `lamps.csv`, what is the correlation of `depth` and `light`?",
        "In `lamps.csv`, what is the Pearson correlation of `depth` and `light`?",
    ),
    Case(
        "kind of correlation",
        _of("lamps.csv", "df.depth.corr(df.light, 'spearman')"),
        -0.95,
        NUMBER,
        "In `lamps.csv`, what is the correlation of `depth` and `light`?",
        "In `lamps.csv`, what is the Spearman correlation of `depth` and `light`?",
    ),
    Case(
        "rows without a match",
        _joined("halls.csv", "df.merge(other, on='city').staff.mean()"),
        3.05,
        NUMBER,
        "In `shop.csv` and `halls.csv`, joined on `city`, what is the mean of `staff`?",
        "In `shop.csv` and `halls.csv`, joined on `city` keeping only the rows that match, what is the mean of "
        "`staff`?",
    ),
    Case(
        "rows without a match",
        _joined("halls.csv", "df.merge(other, 'outer', 'city').staff.mean()"),
        4.39,
        NUMBER,
        "In `shop.csv` and `halls.csv`, joined on `city`, what is the mean of `staff`?",
        "In `shop.csv` and `halls.csv`, joined on `city` keeping all rows of both, what is the mean of `staff`?",
    ),
    Case(
        "keys that repeat",
        _joined("branches.csv", "df.merge(other, on='city').staff.mean()"),
        5.09,
        NUMBER,
        "In `shop.csv` and `branches.csv`, joined on `city` keeping only the rows that match, what is the mean of "
        "`staff`?",
        "In `shop.csv` and `branches.csv`, joined on `city` keeping only the rows that match (one row for each pair), "
        "what is the mean of `staff`?",
    ),
    Case(
        "day or month first",
        _of("trips.csv", "df.km[pd.to_datetime(df.day).dt.month == 4].sum()"),
        24,
        WHOLE,
        "In `trips.csv`, what is the sum of `km` over the days in April (`day`)?",
        "In `trips.csv`, what is the sum of `km` over the days in April (`day`, which is written as MM/DD/YYYY)?",
    ),
    Case(
        "day or month first",
        _of("trips.csv", "df.km[pd.to_datetime(df.day, dayfirst=True).dt.month == 5].sum()"),
        120,
        WHOLE,
        "In `trips.csv`, what is the sum of `km` over the days in May (`day`)?",
        "In `trips.csv`, what is the sum of `km` over the days in May (`day`, which is written as DD/MM/YYYY)?",
    ),
    Case(
        "day or month first",
        _of("trips.csv", "df.km[pd.to_datetime(df.day, format='%d/%m/%Y').dt.month == 5].sum()"),
        120,
        WHOLE,
        "In `trips.csv`, what is the sum of `km` over the days in May (`day`)?",
        "In `trips.csv`, what is the sum of `km` over the days in May (`day`, in the format %d/%m/%Y)?",
    ),
    Case(
        "windows that are not full",
        _of("weather.csv", "df.heat.rolling(7).mean().sum()"),
        684.0,
        NUMBER,
        "In `weather.csv`, what is the sum of the rolling means of `heat` over 7 rows?",
        "In `weather.csv`, what is the sum of the rolling means of `heat` over 7 rows (full windows only)?",
    ),
    Case(
        "windows that are not full",
        _of("weather.csv", "df.heat.rolling(7, 1).mean().sum()"),
        1033.05,
        NUMBER,
        "In `weather.csv`, what is the sum of the rolling means of `heat` over 7 rows?",
        "In `weather.csv`, what is the sum of the rolling means of `heat` over 7 rows, or as many as there are?",
    ),
    Case(
        "numbers of weekdays",
        _of("calls.csv", "pd.to_datetime(df.day).dt.dayofweek.mean()"),
        3.0,
        NUMBER,
        "In `calls.csv`, what is the mean of the weekday of `day` as a number?",
        "In `calls.csv`, what is the mean of the weekday of `day` as a number (Monday is 0)?",
    ),
    Case(
        "numbers of weekdays",
        _of("calls.csv", "pd.to_datetime(df.day).map(lambda day: day.weekday()).mean()"),
        3.0,
        NUMBER,
        "In `calls.csv`, what is the mean of the weekday of `day` as a number?",
        "In `calls.csv`, what is the mean of the weekday of `day` as a number (Monday is 0)?",
    ),
    Case(
        "numbers of weekdays",
        _of("calls.csv", "pd.to_datetime(df.day).map(lambda day: day.isoweekday()).mean()"),
        4.0,
        NUMBER,
        "In `calls.csv`, what is the mean of the weekday of `day` as a number?",
        "In `calls.csv`, what is the mean of the weekday of `day` as a number (Monday is 1)?",
    ),
    Case(
        "numbers, words or rows that stand for none",
        _of("ledger.csv", "df.amount.max()"),
        121,
        WHOLE,
        "In `ledger.csv`, what is the maximum of `amount`?",
        "In `ledger.csv`, what is the maximum of `amount`, the row of totals included?",
    ),
    Case(
        "labels that differ in case or blanks",
        _of("fuels.csv", "df.fuel.value_counts().idxmin()"),
        "OIL",
        TEXT,
        "In `fuels.csv`, which `fuel` is the least frequent?",
        "In `fuels.csv`, which `fuel` is the least frequent, where upper and lower case make two of one?",
    ),
    Case(
        "groups without rows",
        _of("shop.csv", "df[df.sold >= 27].groupby('city').size().idxmin()"),
        "Oslo",
        TEXT,
        "In `shop.csv`, which `city` has the lowest number of rows where `sold` is at least 27?",
        "In `shop.csv`, which `city` has the lowest number of rows where `sold` is at least 27, of those with at "
        "least one such row?",
    ),
    Case(
        "labels of no row",
        "import pandas as pd\ndf = pd.read_csv('data/plants.csv', dtype={'fuel': 'category'})\n"
        "rows = df[df.age >= 4].groupby('fuel', observed=False).size()\nint(rows.max() - rows.min())",
        10,
        WHOLE,
        "In `plants.csv`, keep only the rows where `age` is at least 4. What is the highest number of rows of a `fuel` "
        "minus the lowest?",
        "In `plants.csv`, keep only the rows where `age` is at least 4. What is the highest number of rows of a `fuel` "
        "minus the lowest, where one with no rows has 0?",
    ),
    Case(
        "sheet of the workbook",
        "import pandas as pd\npd.read_excel('data/book.xlsx').staff.mean()",
        17.0,
        NUMBER,
        "In `book.xlsx`, what is the mean of `staff`?",
        'In the sheet "North" of `book.xlsx`, what is the mean of `staff`?',
    ),
    Case(
        "sheet of the workbook",
        "import pandas as pd\npd.read_excel('data/book.xlsx', 'South').staff.mean()",
        77.0,
        NUMBER,
        "In `book.xlsx`, what is the mean of `staff`?",
        'In the sheet "South" of `book.xlsx`, what is the mean of `staff`?',
    ),
]
IDS = [f"{case.choice}: {case.program.splitlines()[-1]}" for case in CASES]


def _id(case: Case, question: str) -> str:
    return f"{question}\n{case.program}"


def _tasks(store: Path) -> list[Task]:
    """Two tasks of each case, the first of them with the question that leaves its choice open."""
    tables = {name: stored(store, name, content) for name, content in TABLES.items()}
    return [
        asked_task(_id(case, question), question, case.contract, case.program, case.answer, *read)
        for case in CASES
        for read in ([table for name, table in tables.items() if f"data/{name}" in case.program],)
        for question in (case.leaves_open, case.states)
    ]


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Judged]:
    """All tasks through the gate that is about choices."""
    store = tmp_path_factory.mktemp("store")
    return judged_by([Ambiguity()], store, _tasks(store))


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_choice_that_is_left_open_stops_a_task(case: Case, judged: Mapping[str, Judged]) -> None:
    """Where a question can be read in two ways with two answers, the reason names the choice."""
    found = judged[_id(case, case.leaves_open)]
    assert stopped(found) == f"ambiguity: not stated: {case.choice}", found.gates


@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_a_choice_that_is_stated_stops_none(case: Case, judged: Mapping[str, Judged]) -> None:
    """The same program passes under a question with the words that settle the choice."""
    found = judged[_id(case, case.states)]
    assert stopped(found) == "", found.gates


@pytest.mark.slow
def test_tasks_that_state_their_choices_pass_every_gate(tmp_path: Path) -> None:
    """No other gate stops a task for the words that settle a choice."""
    passed = judged_by(GATES, tmp_path, _tasks(tmp_path)[1::2])
    assert {name: stopped(found) for name, found in passed.items() if stopped(found)} == {}


def test_every_choice_has_a_case() -> None:
    """No choice is without a task that it stops."""
    assert {case.choice for case in CASES} == {choice.name for choice in CHOICES}
