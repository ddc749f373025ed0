"""Each gate lets a good task through and stops the one that it is there for, with a reason that can be counted."""

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import pytest

from cellwright.core.types import Contract
from cellwright.proof.gates import Judged
from cellwright.proof.gates.wording import gives_away
from tests.proof.gates.proving import asked_task, proved, stopped, stored

NUMBER, WHOLE, TEXT = Contract("number", decimals=2), Contract("integer"), Contract("text")
READ = "import pandas as pd\ndf = pd.read_csv('data/shop.csv')"
BRANCHED = f"{READ}\nbranches = pd.read_csv('data/branches.csv')"
MARKED = f"{READ}\nmarks = pd.read_csv('data/marks.csv')"
OFFICES = f"{READ}\noffices = pd.read_csv('data/offices.csv')"
JOINED = f"{READ}\nregions = pd.read_csv('data/regions.csv')"


@dataclass(frozen=True)
class Bad:
    """A task: its question without contract, its expression, and what stops it ("" for a good one)."""

    question: str
    expression: str
    answer: object
    contract: Contract
    stopped: str
    code: str = READ
    tables: int = 0
    """Which table it has beside the shop's, from 1 on; 0 for none."""


CASES = {
    "a mean": Bad("In `shop.csv`, what is the mean of `price`?", "df.price.mean()", 15.25, NUMBER, ""),
    "a label": Bad(
        "In `shop.csv`, which `city` has the highest sum of `sold`?",
        "df.groupby('city').sold.sum().idxmax()",
        "Rome",
        TEXT,
        "",
    ),
    "a count": Bad(
        "In `shop.csv`, how many rows are there where `sold` is greater than 15?", "(df.sold > 15).sum()", 14, WHOLE, ""
    ),
    "a join": Bad(
        "In `shop.csv` and `regions.csv`, joined on `city` keeping only what matches, what is the mean of `area`?",
        "df.merge(regions, on='city').area.mean()",
        26.0,
        NUMBER,
        "",
        JOINED,
        tables=1,
    ),
    "two files of the same columns": Bad(
        "What is the mean of `price` in `shop.csv` minus the mean of `price` in `outlet.csv`?",
        "df.price.mean() - outlet.price.mean()",
        11.25,
        NUMBER,
        "",
        f"{READ}\noutlet = pd.read_csv('data/outlet.csv')",
        tables=4,
    ),
    "a join of rows that were kept": Bad(
        "In `shop.csv`, keep only the rows where `sold` is greater than 3. Join with `branches.csv` on `city`. What is "
        "the mean of `staff`? (One row for each pair of rows.)",
        "df[df.sold > 3].merge(branches, on='city').staff.mean()",
        5.0,
        NUMBER,
        "ambiguity: not stated: rows without a match",
        BRANCHED,
        tables=2,
    ),
    "a join on keys that repeat": Bad(
        "In `shop.csv` and `branches.csv`, joined on `city` keeping only the rows that match, what is the mean of "
        "`staff`?",
        "df.merge(branches, on='city').staff.mean()",
        5.09,
        NUMBER,
        "ambiguity: not stated: keys that repeat",
        BRANCHED,
        tables=2,
    ),
    "rows without a key": Bad(
        "In `shop.csv`, how many rows are there whose `rating` is not one of those of `marks.csv`?",
        "(~df.rating.isin(marks.rating)).sum()",
        27,
        WHOLE,
        "ambiguity: not stated: missing values",
        MARKED,
        tables=3,
    ),
    "another answer": Bad(
        "In `shop.csv`, what is the mean of `price`?",
        "df.price.mean()",
        15.26,
        NUMBER,
        "re-execution: another answer comes out",
    ),
    "a program that fails": Bad(
        "In `shop.csv`, what is the mean of `price`?",
        "df.prices.mean()",
        15.25,
        NUMBER,
        "re-execution: the program fails",
    ),
    "told": Bad(
        "In `shop.csv`, what is the mean of `price` (it is 15.25)?",
        "df.price.mean()",
        15.25,
        NUMBER,
        "wording: the question gives the answer",
    ),
    "no table named": Bad(
        "What is the mean of `price`?", "df.price.mean()", 15.25, NUMBER, "sanity: does not name its table"
    ),
    "every row": Bad(
        "In `shop.csv`, how many rows are there where `sold` is at least 0?",
        "(df.sold >= 0).sum()",
        30,
        WHOLE,
        "sanity: the condition keeps every row",
    ),
    "a share over 1": Bad(
        "In `shop.csv`, what is the fraction (between 0 and 1) of `sold`?",
        "df.sold.mean()",
        14.5,
        NUMBER,
        "sanity: a fraction that is not between 0 and 1",
    ),
    "a divisor": Bad(
        "In `shop.csv`, what is the standard deviation of `price`?",
        "df.price.std()",
        8.82,
        NUMBER,
        "ambiguity: not stated: divisor of the variance",
    ),
    "a divisor, said": Bad(
        "In `shop.csv`, what is the sample standard deviation of `price`?", "df.price.std()", 8.82, NUMBER, ""
    ),
    "missing": Bad(
        "In `shop.csv`, what is the mean of `rating`?",
        "df.rating.fillna(0).mean()",
        2.5,
        NUMBER,
        "ambiguity: not stated: missing values",
    ),
    "a missing value among different ones": Bad(
        "In `shop.csv`, how many different values of `rating` are there?",
        "df.rating.nunique(dropna=False)",
        7,
        WHOLE,
        "ambiguity: not stated: missing values",
    ),
    "a negated comparison with what is missing": Bad(
        "In `shop.csv`, what is the sum of `sold` in the rows where it is not true that `rating` is greater than 12? "
        "Leave missing values out of statistics.",
        "df[~(df.rating > 12)].sold.sum()",
        375,
        WHOLE,
        "ambiguity: not stated: missing values",
    ),
    "a comparison with what is missing, stored": Bad(
        "In `shop.csv`, set a column `late` to whether `rating` is greater than 12. What is the mean of `late`? Leave "
        "missing values out of statistics.",
        "df.late.mean()",
        0.1,
        NUMBER,
        "ambiguity: not stated: missing values",
        f"{READ}\ndf['late'] = df.rating > 12",
    ),
    "a group without rows": Bad(
        "In `shop.csv`, which `city` has the lowest number of rows where `sold` is at least 27?",
        "df[df.sold >= 27].groupby('city').size().idxmin()",
        "Oslo",
        TEXT,
        "ambiguity: not stated: groups without rows",
    ),
    "a group that keeps no rows": Bad(
        "In `shop.csv`, keep only the rows where `sold` is at least 27. Then, which `city` has the lowest number of "
        "rows?",
        "df[df.sold >= 27].groupby('city').size().idxmin()",
        "Oslo",
        TEXT,
        "",
    ),
    "a label of no row": Bad(
        "In `shop.csv`, keep only the rows where `sold` is at least 27. Then, what is the sum of `sold` and of the "
        "number of different values of `city`?",
        "df.sold.sum() + len(df.city.value_counts())",
        87,
        WHOLE,
        "ambiguity: not stated: labels of no row",
        "import pandas as pd\ndf = pd.read_csv('data/shop.csv', dtype={'city': 'category'})\ndf = df[df.sold >= 27]",
    ),
    "a mark of lists in a list": Bad(
        'List the `fuel` of the first 2 rows of the file `offices.csv`, each with the text of ";" and `city` of the '
        "first row of `shop.csv` behind it.",
        "(offices.fuel.head(2) + ';' + df.city[0]).tolist()",
        ["oil;Rome", "gas;Rome"],
        Contract("list", item="text"),
        "sanity: a mark of lists in an item of one",
        OFFICES,
        tables=5,
    ),
    "an order behind a first step": Bad(
        "Start from `shop.csv`. First, keep only the rows where `sold` is less than 12. What `price` is it?",
        "df[df.sold < 12].price.iloc[7]",
        8.0,
        NUMBER,
        "determinism: depends on the order of rows",
    ),
    "rounded on the way": Bad(
        "In `shop.csv`, what is the sum of `price`?",
        "df.price.round().sum()",
        450,
        NUMBER,
        "ambiguity: not stated: rounding on the way",
    ),
    "tied labels": Bad(
        "In `shop.csv`, which `city` is the most frequent where `sold` is less than 6?",
        "df[df.sold < 6].city.value_counts().idxmax()",
        "Rome",
        TEXT,
        "ambiguity: not stated: ties",
    ),
    "an interpolation": Bad(
        "In `shop.csv`, what is the 12th percentile of `price`?",
        "df.price.quantile(0.12)",
        4.24,
        NUMBER,
        "ambiguity: not stated: interpolation",
    ),
    "an order": Bad(
        "In `shop.csv`, what is the `price` that counts?",
        "df.price.iloc[7]",
        8.0,
        NUMBER,
        "determinism: depends on the order of rows",
    ),
    "an order, said": Bad(
        "In `shop.csv`, what is the `price` of the 8th row of the file?", "df.price.iloc[7]", 8.0, NUMBER, ""
    ),
    "what every look shows": Bad(
        "In `shop.csv`, what is the sum of `price` over the first 4 rows of the file?",
        "df.price.head(4).sum()",
        9.0,
        NUMBER,
        "first rows: they give the answer",
    ),
    "a clock": Bad(
        "In `shop.csv`, what is the sum of `sold`?",
        "int(df.sold.sum()) + __import__('datetime').date.today().year",
        435 + datetime.date.today().year,
        WHOLE,
        "determinism: depends on the clock",
    ),
    "a part": Bad(
        "In `shop.csv`, what is the mean of `price`?",
        "df.price.mean()",
        5.25,
        NUMBER,
        "sanity: reads only a part of a table",
        "import pandas as pd\ndf = pd.read_csv('data/shop.csv', nrows=10)",
    ),
    "numbers that stand for none": Bad(
        "What is the mean of `staff` in `offices.csv` minus the mean of `price` in `shop.csv`?",
        "offices.staff.mean() - df.price.mean()",
        -82.55,
        NUMBER,
        "ambiguity: not stated: numbers, words or rows that stand for none",
        OFFICES,
        tables=5,
    ),
    "numbers that stand for none, and do not count": Bad(
        "What is the maximum of `staff` in `offices.csv` minus the maximum of `price` in `shop.csv`?",
        "offices.staff.max() - df.price.max()",
        2.0,
        NUMBER,
        "",
        OFFICES,
        tables=5,
    ),
    "labels in two spellings": Bad(
        "Which `fuel` is the least frequent in `offices.csv` among those of the rows where `staff` is less than the "
        "maximum of `price` in `shop.csv`? (If there is more than one, the first in alphabetical order.)",
        "offices[offices.staff < df.price.max()].fuel.value_counts().sort_index().idxmin()",
        "OIL",
        replace(TEXT, ties="first in alphabetical order"),
        "ambiguity: not stated: labels that differ in case or blanks",
        OFFICES,
        tables=5,
    ),
    "a mark that stands for none": Bad(
        "What is the maximum of `price` in `shop.csv` minus the number of different values of `place` in `places.csv`?",
        "df.price.max() - places.place.nunique()",
        26.0,
        NUMBER,
        "ambiguity: not stated: numbers, words or rows that stand for none",
        f"{READ}\nplaces = pd.read_csv('data/places.csv')",
        tables=6,
    ),
    "a mark that the question names": Bad(
        "What is the maximum of `price` in `shop.csv` minus the number of rows of `places.csv` where `place` is not "
        '"?"?',
        "df.price.max() - (places.place != '?').sum()",
        21.0,
        NUMBER,
        "",
        f"{READ}\nplaces = pd.read_csv('data/places.csv')",
        tables=6,
    ),
    "a part of texts in two cases": Bad(
        "What is the maximum of `price` in `shop.csv` minus the number of rows of `offices.csv` where `fuel` contains "
        '"oil"?',
        "df.price.max() - offices.fuel.str.contains('oil').sum()",
        24.0,
        NUMBER,
        "ambiguity: not stated: upper and lower case of a part",
        OFFICES,
        tables=5,
    ),
    "a comma in a list of texts": Bad(
        "List the `name` of the 2 rows of `offices.csv` in which `staff` is highest, the highest first, among the rows "
        "where `staff` is less than the maximum of `price` in `shop.csv`.",
        "offices[offices.staff < df.price.max()].nlargest(2, 'staff').name.tolist()",
        ["No. 19, 1", "No. 18, 0"],
        Contract("list", item="text"),
        "sanity: a comma in an item of a list",
        OFFICES,
        tables=5,
    ),
    "no table needed": Bad(
        "In `shop.csv`, which `city` has the highest sum of `sold`?",
        "'Rome'",
        "Rome",
        TEXT,
        "mutation: no change of its tables moves the answer",
    ),
    "a table that does not matter": Bad(
        "In `shop.csv` and `regions.csv`, what is the mean of `price`?",
        "df.price.mean()",
        15.25,
        NUMBER,
        "mutation: a table does not matter",
        JOINED,
        tables=1,
    ),
    "a table that cannot be changed": Bad(
        "In `shop.csv` and `wide.dat`, what is the mean of `price` plus the mean of `size`?",
        "df.price.mean() + wide['size'].mean()",
        20.25,
        NUMBER,
        "mutation: its tables could not be changed",
        f"{READ}\nwide = pd.read_fwf('data/wide.dat')",
        tables=7,
    ),
    "a first row, and a label that speaks of the first": Bad(
        'In `shop.csv`, what is the `sold` of the row where `city` is not "First Class"?',
        "df[df.city != 'First Class'].sold.iloc[29]",
        29,
        WHOLE,
        "determinism: depends on the order of rows",
    ),
    "an unnamed column": Bad(
        "In `shop.csv`, what is the mean of `price`?",
        "df.iloc[:, 1].mean()",
        14.5,
        NUMBER,
        "mutation: depends on columns that the question does not name",
    ),
    "an unnamed column beside a fixed phrase": Bad(
        "In `shop.csv`, what is the mean of `price`? Leave missing values out of statistics.",
        "df.iloc[:, 1].mean()",
        14.5,
        NUMBER,
        "mutation: depends on columns that the question does not name",
    ),
}


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Judged]:
    """All cases through all gates, in the kernels that one notebook's tasks would share."""
    store = tmp_path_factory.mktemp("store")
    rows = [f"{['Rome', 'Oslo', 'Bern'][n % 3]},{n},{n + 0.5 + n % 2 / 2},{'' if n % 5 else n}" for n in range(30)]
    shop = stored(store, "shop.csv", "city,sold,price,rating\n" + "\n".join(rows).replace("Bern,29", "Rome,29") + "\n")
    fuels = ("oil", "gas", "oil", "OIL", "gas", "coal", "coal", "coal")
    offices = [f'"No. {n}, {n % 2}",{fuels[n % 8]},{-999 if n in (4, 9) else n + 10}' for n in range(23)]
    more = (
        stored(store, "regions.csv", "city,area\nRome,40\nOslo,25\nBern,10\n"),
        stored(store, "branches.csv", "city,staff\nRome,4\nRome,9\nOslo,2\nParis,30\n"),
        stored(store, "marks.csv", "rating,word\n" + "".join(f"{n},w{n}\n" for n in range(1, 16))),
        stored(store, "outlet.csv", "city,price\n" + "".join(f"Rome,{n}\nOslo,{n + 1}\n" for n in range(8))),
        stored(store, "offices.csv", "name,fuel,staff\n" + "\n".join(offices) + "\n"),
        stored(
            store,
            "places.csv",
            "place,heat\n" + "".join(f"{['Ayr', 'Bath', '?', 'Deal'][n % 4]},{n}\n" for n in range(12)),
        ),
        stored(store, "wide.dat", "name  size\n" + "".join(f"n{n}     {n}   \n" for n in range(1, 10))),
    )
    tasks = []
    for name, case in CASES.items():
        tables = (shop, more[case.tables - 1]) if case.tables else (shop,)
        program = f"{case.code}\n{case.expression}"
        tasks.append(asked_task(name, case.question, case.contract, program, case.answer, *tables))
    return proved(store, tasks)


@pytest.mark.parametrize("name", CASES)
def test_what_stops_a_task(name: str, judged: Mapping[str, Judged]) -> None:
    """A good task passes every gate; another is stopped by the gate that it is for."""
    assert stopped(judged[name]) == CASES[name].stopped, judged[name].gates


def test_evidence_says_what_was_seen(judged: Mapping[str, Judged]) -> None:
    """A passed gate tells its runs, so that a reader can see what it rests on."""
    gates = {gate.gate: json.loads(gate.evidence_json) for gate in judged["a mean"].gates}
    assert gates["mutation"]["changes"]["unused columns changed"] == "same"
    assert gates["mutation"]["changes"]["used columns changed"].startswith("moved: ")
    assert gates["determinism"]["conditions"]["rows in reverse"] == "same"
    assert replace(judged["a mean"].task).environment.startswith("python 3.")


@pytest.mark.parametrize(
    ("text", "question", "told"),
    [
        ("A", "Find a group.", False),
        ("A", 'Find the group after "A".', True),
        ("Rome", "Is rome the largest?", True),
        ("1", "The first 1 of them.", False),
        ("1234.5", "Above 1234.5?", True),
    ],
)
def test_what_gives_an_answer_away(text: str, question: str, told: bool) -> None:
    """A label of one letter is a word of English too, unless it is quoted."""
    assert gives_away(text, question) == told
