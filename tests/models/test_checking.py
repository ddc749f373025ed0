"""Answers of the built-in model that are held back: what the question says and the program does must be the same."""

import asyncio
import json

import pytest

from cellwright.agent.tools import tools_json
from cellwright.core.types import Message, ToolCall
from cellwright.models import Request, Sampling
from cellwright.models.builtin import FOLDER, BuiltInModel
from cellwright.models.builtin.checking import Ran, why_not_answer
from cellwright.models.builtin.mentions import mentions
from cellwright.models.builtin.programs import Asked, Condition, read_program

COLUMNS = [
    "total_bill",
    "total_tip",
    "sex",
    "day",
    "party size",
    "houseAge",
    "mean radius",
    "S1",
    "S2",
    "value",
    "leaf len",
    "stem len",
]
LOAD = "import pandas as pd\ndf = pd.read_csv('tips.csv')\n"

PROGRAMS = {
    "df['day'].nunique()": Asked("nunique", "day"),
    "round(df[df['sex'] == 'F']['total_bill'].mean(), 2)": Asked("mean", "total_bill", Condition("sex", "==", "F")),
    "df[df['S1'] > -5]['S2'].sum()": Asked("sum", "S2", Condition("S1", ">", -5)),
    "(df['day'] == 'Sun').sum()": Asked("count", condition=Condition("day", "==", "Sun")),
    "df.groupby('day')['S1'].max().idxmin()": Asked("max", "S1", group="day", side="min"),
    "list(df.columns)": None,
    "df['day'].mode()": None,
    "df[df['sex'] != 'F']['S1'].mean()": None,
    "df[df['S1'] > df['S2']]['S1'].mean()": None,
    "round(df['S1'].mean(), 0)": None,
    "df['S1'].mean() + 1": None,
}


@pytest.mark.parametrize("shown", PROGRAMS)
def test_programs_of_the_families_are_read(shown: str) -> None:
    """What they ask of the table, whether or not the cell loads it; others are not guessed at."""
    assert read_program(f"print({shown})") == PROGRAMS[shown]
    assert read_program(f"{LOAD}print({shown})") == PROGRAMS[shown]


@pytest.mark.parametrize("code", ["print(", "", "df = df.dropna()\nprint(df['S1'].mean())", "df['S1'].mean()"])
def test_what_is_no_such_program_is_not_read(code: str) -> None:
    """Broken code, nothing at all, a statement that changes the table, and a cell that prints nothing."""
    assert read_program(code) is None


NAMED: dict[str, list[set[str]]] = {
    "the mean of `total_bill` by `nope`": [{"total_bill"}],
    "the mean of total bill": [{"total_bill"}],
    "the highest tip": [{"total_tip"}],
    "the highest total": [],
    "Total_Tip of the party": [{"total_tip"}, {"party size"}],
    "the house age and the mean radius": [{"houseAge"}, {"mean radius"}],
    "S2 where s1 is": [{"S2"}, {"S1"}],
    "S where days": [{"S1", "S2"}, {"day"}],
}


@pytest.mark.parametrize("question", NAMED)
def test_columns_are_found_in_questions(question: str) -> None:
    """As they are written, in small letters, in words, or by a word that no other has; what several have is unclear."""
    idle = frozenset({"mean", "total", "the", "of"})
    assert [set(found.columns) for found in mentions(question, COLUMNS, idle)] == NAMED[question]


GOOD = {
    "What is the mean of total_bill?": "df['total_bill'].mean()",
    "average tip where sex is Female": "df[df['sex'] == 'Female']['total_tip'].mean()",
    "For day Sun, compute the highest of tip.": "df[df['day'] == 'Sun']['total_tip'].max()",
    "What is the median of `S1` over the rows where `S2` is less than 4.5? Answer with an integer.": (
        "round(df[df['S2'] < 4.5]['S1'].median(), 2)"
    ),
    "How many rows have party size equal to six?": "(df['party size'] == 'six').sum()",
    "Which day has the lowest total of bill?": "df.groupby('day')['total_bill'].sum().idxmin()",
    "For which day is the maximum of S1 the smallest?": "df.groupby('day')['S1'].max().idxmin()",
    "In tips.csv, what is the sum of S1 where S1 is above 3?": "df[df['S1'] > 3]['S1'].sum()",
    "What is the highest mean radius?": "df['mean radius'].max()",
    "Can you tell me what's the average number of S1?": "df['S1'].mean()",
    "What is the number of distinct values of value?": "df['value'].nunique()",
}


@pytest.mark.parametrize("question", GOOD)
def test_what_was_asked_is_let_through(question: str) -> None:
    """In words of the families, with names and values as people write them."""
    code = f"{LOAD}print({GOOD[question]})"
    assert why_not_answer(question, COLUMNS, [Ran(code, "7")], "7") == ""


BAD = {
    ("What is the mean of bill?", "df['total_tip'].mean()"): "reads 'total_tip', which the question does not name",
    ("What is the mean of tax?", "df['total_tip'].mean()"): "reads 'total_tip'",
    ("What is the mean of len?", "df['leaf len'].mean()"): "'len' could be any of leaf len, stem len",
    ("What is the mean of bill where sex is F?", "df['total_bill'].mean()"): "does not read 'sex'",
    ("What is the mean of bill of smokers?", "df['total_bill'].mean()"): "does not know what 'smokers' is",
    ("What is the mean of bill?", "df['total_bill'].median()"): "does not compute what is asked (median)",
    ("What is the mean radius?", "df['mean radius'].mean()"): "does not compute what is asked (mean)",
    ("mean of S1 where S2 is above 3", "df[df['S2'] < 3]['S1'].mean()"): "says more or less",
    ("mean of S1 where S2 is above 3", "df[df['S1'] > 3]['S2'].mean()"): "says more or less",
    ("mean of S1 where S2 is above 35", "df[df['S2'] > 3]['S1'].mean()"): "the question does not say '3'",
    ("mean of S1 where S2 is above 1,000", "df[df['S2'] > 1]['S1'].mean()"): "does not know what '000' is",
    ("mean of S1 where S2 is above 3.5", "df[df['S2'] > 3]['S1'].mean()"): "the question does not say '3'",
    ("mean of S1 where S2 is >= 3", "df[df['S2'] > 3]['S1'].mean()"): "says more or less",
    ("What is the total bill?", "df['total_bill'].sum()"): "does not compute what is asked (sum)",
    ("mean of S1 over 10", "df[df['S1'] > 10]['S1'].mean()"): "says more or less",
    ("mean of S1 where sex is not F", "df[df['sex'] == 'F']['S1'].mean()"): "does not know what 'not' is",
    ("How many rows have day equal to Sun?", "(df['day'] == 'Sum').sum()"): "the question does not say 'Sum'",
    ("Which day has the highest tip?", "df.groupby('day')['total_tip'].mean().idxmax()"): "(max, mean)",
    ("Which day has the lowest maximum of S1?", "df.groupby('day')['S1'].min().idxmax()"): "(max, min)",
    ("What is the mean of bill?", "df['total_bill']"): "none of those that it was taught",
}


@pytest.mark.parametrize(("question", "shown"), BAD)
def test_what_was_not_asked_is_held_back(question: str, shown: str) -> None:
    """With the first thing that is not as it was asked."""
    assert BAD[question, shown] in why_not_answer(question, COLUMNS, [Ran(f"{LOAD}print({shown})", "7")], "7")


def test_an_answer_is_what_the_last_cell_showed() -> None:
    """Another figure, no cell at all, or rows that are not there."""
    ran = [Ran("print((df['day'] == 'Sun').sum())", "7")]
    assert "not what its last cell showed" in why_not_answer("How many rows with day Sun?", COLUMNS, ran, "17")
    assert "not what its last cell showed" in why_not_answer("How many rows with day Sun?", COLUMNS, [], "17")
    none = [Ran("print((df['day'] == 'Sun').sum())", "0")]
    assert "no row has day == 'Sun'" in why_not_answer("How many rows with day Sun?", COLUMNS, none, "0")


STEPS = [Ran("print(df.groupby('day')['S1'].mean().idxmax())", "Sun"), Ran("print((df['day'] == 'Sun').sum())", "7")]


@pytest.mark.parametrize(
    ("question", "held_back"),
    {
        "Which day has the highest mean of S1? How many rows has it?": "",
        "how many rows are there where `day` is (the `day` with the highest mean of `S1`)": "",
        "Which day has the highest mean of S2? How many rows has it?": "reads 'S1'",
        "Which day has the lowest mean of S1? How many rows has it?": "(max, mean)",
        "Which day has the highest mean of S1? What is the sum of S2 there?": "does not read 'S2'",
        "Which day has the highest mean of S1?": "does not say 'Sun'",
    }.items(),
)
def test_questions_in_two_steps(question: str, held_back: str) -> None:
    """The first cell answers the first part, and what it showed may stand in the second."""
    why = why_not_answer(question, COLUMNS, STEPS, "7")
    assert held_back in why
    assert bool(held_back) == bool(why)


def test_the_model_holds_an_answer_back() -> None:
    """It says why and what it can do; without the table's columns it cannot tell, and answers."""
    call = ToolCall(
        "c", "execute_code", json.dumps({"code": f"{LOAD}print((df['day'] == 'Sun').sum())", "comment": "x"})
    )
    said = (
        Message("user", "How many rows have total tip equal to Sun?\n\nFiles:\n- tips.csv (1.2 kB)"),
        Message("assistant", "", tool_calls=(call,)),
        Message("tool", "4172", tool_call_id="c"),
    )
    request = Request(said, tools_json(thinking=False), Sampling())
    held = asyncio.run(BuiltInModel.load(FOLDER, columns=COLUMNS).reply(request))
    assert held.finish == "refused"
    assert "which the question does not name" in held.message.content
    assert "What is the mean of price?" in held.message.content
    free = asyncio.run(BuiltInModel.load(FOLDER).reply(request))
    assert json.loads(free.message.tool_calls[0].arguments_json) == {"answer": "4172"}
