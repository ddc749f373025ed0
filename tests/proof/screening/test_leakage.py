"""The leakage gate: where an answer can be read, and good tasks that stay."""

import json

import pytest

from cellwright.core.types import Contract, Task
from cellwright.proof.heads import TableHead
from cellwright.proof.screening.leakage import leakage_gate

from .making import INTEGER, NUMBER, TEXT, task

HEAD = TableHead(
    "ab" * 32,
    ("city", "year", "fare", "team"),
    (("Rome", "2012", "71.2833", "Reds"), ("Oslo", "2012", "8.05", "Reds"), ("Kyiv", "2012", "512.3292", "Reds")),
)
ANY_ORDER = Contract("list", item="text", ordered=False)
LEAKS = {
    "a value of the condition": (task('which `city` has `city` "Rome"?', "Rome", TEXT), "question"),
    "a column out of two": (task("is `fare` or `tax` larger?", "fare", TEXT), "question"),
    "a telling number": (task("how many are there, is it 3,412?", 3412, INTEGER), "question"),
    "all that is listed": (task('list the `city` that are "Rome" or "Oslo"', ["Rome", "Oslo"], ANY_ORDER), "question"),
    "the number of what is listed": (task('how many have `city` "Rome", "Oslo" or "Bern"?', 3, INTEGER), "question"),
    "a name in the prose": (task("who won for New Zealand?", "New Zealand", TEXT), "question"),
    "the file's name": (task("which team won?", "Real Madrid", TEXT, table="real_madrid-2012.csv"), "table name"),
    "the file's year": (task("which year?", 1999, INTEGER, table="euro 1999.csv"), "table name"),
    "a shown number": (task("what is the maximum of `fare`?", 512.33, NUMBER), "first rows"),
    "the only shown label": (task("which `team` leads?", "Reds", TEXT), "first rows"),
    "the only shown year": (task("which `year` leads?", 2012, INTEGER), "first rows"),
}
STAY = {
    "a small number": task("how many are above 12?", 12, INTEGER),
    "another number than of what is listed": task('how many have `city` "Rome", "Oslo" or "Bern"?', 4, INTEGER),
    "a column out of three": task("which of `a`, `b` and `c` is the largest?", "b", TEXT),
    "an order of what is listed": task('rank "x" and "y"', ["y", "x"], Contract("list", item="text")),
    "an everyday word": task("which status do most have in total?", "total", TEXT),
    "one label of several that are shown": task("which `city` leads?", "Oslo", TEXT),
    "a number that is not shown": task("what is the mean of `fare`?", 197.22, NUMBER),
    "rounding to two decimals": task("what is the mean?", 200.0, Contract("number", decimals=2)),
}


def places(found: Task, prose: str = "") -> list[str]:
    evidence: dict[str, list[str]] = json.loads(leakage_gate(found, [HEAD], prose).evidence_json)
    return evidence["found in"]


@pytest.mark.parametrize("name", LEAKS)
def test_leak_is_found(name: str) -> None:
    """An answer that can be read fails its task, and the evidence says where it stands."""
    found, place = LEAKS[name]
    assert places(found) == [place]
    assert not leakage_gate(found, [HEAD], "").passed


@pytest.mark.parametrize("name", STAY)
def test_good_task_stays(name: str) -> None:
    """What only looks like a leak is none."""
    assert places(STAY[name]) == []


def test_notebook_that_tells_is_recorded_and_fails_only_where_it_is_wanted() -> None:
    """A number in the notebook's markdown is evidence; a setting makes it a failure; small numbers stand anywhere."""
    found = task("how many rows are there?", 1309, INTEGER)
    told = leakage_gate(found, [], "There are 1,309 passengers.")
    assert json.loads(told.evidence_json)["told by the notebook's text"] is True
    assert told.passed
    assert not leakage_gate(found, [], "There are 1,309 passengers.", told_fails=True).passed
    assert leakage_gate(task("how many?", 12, INTEGER), [], "12 rows", told_fails=True).passed
