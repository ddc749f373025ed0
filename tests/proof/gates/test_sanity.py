"""The sanity gate: an answer has the kind, unit and range that its question speaks of; it is read, and nothing runs."""

from dataclasses import replace
from typing import NamedTuple

import pytest

from cellwright.core.types import Contract, Table
from cellwright.proof.gates import reason_of, subject_of
from cellwright.proof.gates.sanity import Sanity
from tests.proof.gates.proving import asked_task

NUMBER, WHOLE, TEXT, DATE = Contract("number", decimals=2), Contract("integer"), Contract("text"), Contract("date")
PERCENT = Contract("percent", decimals=2)
FRACTION = Contract("percent", unit="fraction", decimals=2)
SHARES = Contract("mapping", unit="fraction", decimals=2, item="percent", key="integer")
READ = "import pandas as pd\ndf = pd.read_csv('data/shop.csv')\n"
SHOP = Table("0" * 64, "shop.csv", 100)


class Case(NamedTuple):
    """An answer, and what stops it ("" for a good one)."""

    question: str
    contract: Contract
    answer: object
    stopped: str
    program: str = READ + "df.price.max()"


CASES = [
    Case("In `shop.csv`, what is the mean of `price`?", NUMBER, 4.5, ""),
    Case("In `shop.csv`, what is the mean of `price`?", NUMBER, "cheap", "the answer does not fit its contract"),
    Case("In `shop.csv`, which is the last `day`?", DATE, "31 May", "the answer does not fit its contract"),
    # Tables.
    Case(
        "In `shop.csv`, what is the mean of `price`?",
        NUMBER,
        4.5,
        "reads a table that it does not have",
        READ + "pd.read_csv('data/mall.csv').price.mean()",
    ),
    Case(
        "In `shop.csv`, unlike in `mall.csv`, what is the mean of `price`?",
        NUMBER,
        4.5,
        "names a table that it does not have",
    ),
    Case("In the file of the shop, what is the mean of `price`?", NUMBER, 4.5, ""),
    Case("In `SHOP.csv`, what is the mean of `price`?", NUMBER, 4.5, ""),
    Case(
        "In the first 1,000 rows of `shop.csv`, what is the mean of `price`?",
        NUMBER,
        4.5,
        "",
        "import pandas as pd\npd.read_csv('data/shop.csv', nrows=1000).price.mean()",
    ),
    Case(
        "In the first 10000 rows of `shop.csv`, what is the mean of `price`?",
        NUMBER,
        4.5,
        "reads only a part of a table",
        "import pandas as pd\npd.read_csv('data/shop.csv', nrows=1000).price.mean()",
    ),
    # No answer.
    Case("In `shop.csv`, which `city` has no `price`?", TEXT, "nan", "no answer"),
    Case("In `shop.csv`, which `city` has no `price`?", Contract("list", item="text"), [], "no answer"),
    Case("In `shop.csv`, which `city` has no `price`?", Contract("list", item="text"), ["Rome", "None"], "no answer"),
    Case("In `shop.csv`, which `city` has no `price`?", TEXT, "Nantes", ""),
    # Counts.
    Case("In `shop.csv`, how many rows are there?", WHOLE, -3, "a negative count"),
    Case("In `shop.csv`, what is the number of cities?", WHOLE, -3, "a negative count"),
    Case("In `shop.csv`, how many rows are there in Rome, minus those in Oslo?", WHOLE, -3, ""),
    Case("In `shop.csv`, what is the lowest `degree`?", WHOLE, -3, ""),
    # Shares.
    Case("In `shop.csv`, what is the fraction of rows?", NUMBER, 1.2, "a fraction that is not between 0 and 1"),
    Case("In `shop.csv`, what is the share of rows?", NUMBER, -0.2, "a fraction that is not between 0 and 1"),
    Case("In `shop.csv`, what is the share of rows?", NUMBER, 1, ""),
    Case("In `shop.csv`, what is the share of Rome divided by that of Oslo?", NUMBER, 1.2, ""),
    Case("In `shop.csv`, what part is sold?", FRACTION, 45.0, "a fraction that is not between 0 and 1"),
    Case("In `shop.csv`, what part is sold?", FRACTION, 0.45, ""),
    Case("In `shop.csv`, what part is sold in each `year`?", SHARES, [[2019, 0.2], [2020, 0.4]], ""),
    Case(
        "In `shop.csv`, what part is sold in each `year`?",
        SHARES,
        [[2019, 20.0], [2020, 40.0]],
        "a fraction that is not between 0 and 1",
    ),
    Case("In `shop.csv`, what part is sold?", PERCENT, 0.45, "a fraction where a percentage is asked for"),
    Case("In `shop.csv`, what part is sold?", PERCENT, 0.45, "", READ + "df.sold.mean() * 100"),
    Case("In `shop.csv`, what part is sold?", PERCENT, 45.0, ""),
    Case("In `shop.csv`, what part is sold?", PERCENT, 0.0, ""),
    # Spreads and correlations.
    Case("In `shop.csv`, what is the sample variance of `price`?", NUMBER, -0.5, "a negative spread"),
    Case("In `shop.csv`, what is the interquartile range of `price`?", NUMBER, -0.5, "a negative spread"),
    Case("In `shop.csv`, what is the variance of `price` minus that of `sold`?", NUMBER, -0.5, ""),
    Case(
        "In `shop.csv`, what is the Pearson correlation of `a` and `b`?",
        NUMBER,
        1.5,
        "a correlation that is not between -1 and 1",
    ),
    Case("In `shop.csv`, what is the correlation of `a` and `b`?", NUMBER, -1, ""),
    # Dates.
    Case("In `shop.csv`, which is the last `day`?", DATE, "2024-05-31", ""),
    Case("In `shop.csv`, which is the last `day`?", DATE, "0024-05-31", "a date out of range"),
    Case(
        "In `shop.csv`, which is the last `day`?",
        DATE,
        "1970-01-01",
        "the first day of the epoch: numbers were read as dates",
    ),
    Case("In `shop.csv`, which is the last `day`?", DATE, "1970-01-02", ""),
    # Lists.
    Case("In `shop.csv`, list the cities.", Contract("list", item="text"), ["Rome", "Bern"], ""),
    Case(
        "In `shop.csv`, list the cities.",
        Contract("list", item="text"),
        ["Rome, Italy", "Bern"],
        "a comma in an item of a list",
    ),
]


@pytest.mark.parametrize("case", CASES, ids=[f"{case.question} {case.answer}" for case in CASES])
def test_answers_that_make_no_sense(case: Case) -> None:
    """An answer of another kind, unit or range than its question speaks of stops the task; one beside it does not."""
    task = asked_task("task", case.question, case.contract, case.program, case.answer, SHOP)
    assert reason_of(Sanity().verdict(subject_of(task), [])) == case.stopped


def test_every_wording_names_the_table() -> None:
    """A task of which one wording does not say which table is meant is stopped."""
    task = asked_task(
        "task", "In `shop.csv`, what is the mean of `price`?", NUMBER, READ + "df.price.mean()", 4.5, SHOP
    )
    unnamed = replace(task, phrasings=("What is the mean of `price`?",))
    assert reason_of(Sanity().verdict(subject_of(unnamed), [])) == "does not name its table"
