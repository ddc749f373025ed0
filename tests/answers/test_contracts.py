"""Contracts: from data and back, in words, and proposed from values."""

import datetime
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cellwright.answers import (
    AnswerError,
    compare,
    contract_from_data,
    contract_from_text,
    contract_to_data,
    infer,
    parse,
    render,
    sentence,
    state,
)
from cellwright.core.types import Contract

CONTRACTS = [
    Contract("number", unit="EUR", decimals=2),
    Contract("percent", unit="fraction", decimals=4),
    Contract("category", choices=("red", "green, light"), case_sensitive=True),
    Contract("list", item="integer", ordered=False, ties="smaller first"),
    Contract("mapping", key="date", item="money", unit="USD", decimals=0),
    Contract("set", item="text", alternatives=("a, b",)),
    Contract("date", locale="en-GB", in_sentence=True),
]


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.kind)
def test_data_of_a_contract_gives_it_again(contract: Contract) -> None:
    """What is written of a contract is read back as the same one."""
    assert contract_from_data(contract_to_data(contract)) == contract


def test_usual_fields_are_left_out() -> None:
    """Data holds only what a contract says beyond the usual."""
    assert contract_to_data(Contract("number", decimals=2)) == {"kind": "number", "decimals": 2}


@pytest.mark.parametrize(
    ("text", "contract"),
    [
        ("integer", Contract("integer")),
        ("number, decimals=2, unit=USD", Contract("number", decimals=2, unit="USD")),
        ("list of text, ordered=no", Contract("list", item="text", ordered=False)),
        ("mapping of text to integer", Contract("mapping", key="text", item="integer")),
        ("category, choices=red|light green", Contract("category", choices=("red", "light green"))),
        (
            "text, alternatives=US|U.S., in_sentence=yes",
            Contract("text", alternatives=("US", "U.S."), in_sentence=True),
        ),
        ('{"kind": "date", "locale": "de"}', Contract("date", locale="de")),
    ],
)
def test_short_form(text: str, contract: Contract) -> None:
    """A person can write a contract in a few words, or as JSON."""
    assert contract_from_text(text) == contract


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("nmber", "did you mean 'number'"),
        ("number, decimal=2", "did you mean 'decimals'"),
        ("number, decimals=two", "decimals: 'two'"),
        ("number, decimals=9999", "decimals: 9999"),
        ("list of list", "single values"),
        ("integer of text", "item: a contract of the kind integer has none"),
        ("list of text, key=text", "key: a contract of the kind list has none"),
        ("number, choices=a|b", "choices: only a category"),
        ("text, decimals=2", "decimals: only numbers"),
        ("integer, unit=fraction", "unit:"),
        ("date, ordered=perhaps", "ordered: 'perhaps'"),
        ("number, locale=de_DE.UTF-8", "locale:"),
        ("integer, alternatives=7|many", "alternatives: 'many'"),
        ("A number!", "is no contract"),
        ("{", "not JSON"),
        ("[1]", "not [1]"),
        ("{}", "needs a kind"),
        ('{"kind": "date", "unit": 5}', "unit: 5"),
    ],
)
def test_errors_name_the_field(text: str, says: str) -> None:
    """A contract that is wrong is refused with the field and what it can be."""
    with pytest.raises(AnswerError, match=re.escape(says)):
        contract_from_text(text)


@given(st.text())
def test_any_text_is_a_contract_or_refused(text: str) -> None:
    """No text makes the reader of contracts fail in another way."""
    with suppress(AnswerError):
        assert contract_from_text(text).kind


SENTENCES = [
    (Contract("integer", unit="orders"), "an integer in orders"),
    (Contract("percent", decimals=1), "a percentage on the scale of 0 to 100 (12.5 for 12.5%) rounded to 1 decimal"),
    (Contract("percent", unit="fraction"), "a fraction between 0 and 1"),
    (Contract("money", unit="USD", decimals=-3), "an amount in USD, rounded to the nearest 1,000"),
    (Contract("boolean"), "yes or no"),
    (Contract("date", unit="second"), "a date and time as YYYY-MM-DD HH:MM:SS"),
    (Contract("category", choices=("a", "b, c")), 'one of these labels: a, "b, c"'),
    (Contract("set", item="integer"), "a comma-separated list of integers, each once, in any order"),
    (Contract("list", item="text"), "in that order"),
    (Contract("mapping", key="text", item="integer"), "a JSON object that maps each label to an integer"),
    (Contract("text", case_sensitive=True), "Upper and lower case matter."),
    (Contract("text", ties="the first by name"), "If there is a tie: the first by name."),
    (Contract("number", decimals=2, locale="de"), "decimal comma (1.234,5)"),
    (Contract("not-applicable"), '"Not Applicable"'),
]


@pytest.mark.parametrize(("contract", "says"), SENTENCES, ids=[says[:30] for _, says in SENTENCES])
def test_sentence_says_each_field(contract: Contract, says: str) -> None:
    """Unit, scale, rounding, order, ties, case and locale are all said."""
    assert says in sentence(contract)


def test_alternatives_are_not_said() -> None:
    """What is accepted besides the answer would give it away."""
    assert "U.S." not in state("Where?", Contract("text", alternatives=("U.S.",)))


def test_only_what_is_unsaid_is_added() -> None:
    """A question that says the rounding but not the tie gets the tie."""
    contract = Contract("integer", ties="the smallest")
    asked = state("How many? Answer with an integer.", contract)
    assert asked == "How many? Answer with an integer. If there is a tie: the smallest."


STATED = [
    ("What is the mean?", Contract("number", decimals=2), " Answer with a number rounded to 2 decimals."),
    ("What is the mean to two decimal places?", Contract("number", decimals=2), " Answer with a number."),
    (
        "What is the mean to 12 decimals?",
        Contract("number", decimals=2),
        " Answer with a number rounded to 2 decimals.",
    ),
    (
        "How old, in years?",
        Contract("number", unit="years", decimals=0),
        " Answer with a number rounded to the nearest",
    ),
    ("How old, in years, to 1 decimal?", Contract("number", unit="years", decimals=1), " Answer with a number."),
    ("Do they differ? Say yes or no.", Contract("boolean"), ""),
    ("Which? Of two take the first.", Contract("text", ties="Of two take the first."), " Answer with the exact text."),
]


@pytest.mark.parametrize(("question", "contract", "added"), STATED)
def test_what_a_question_says_is_not_said_again(question: str, contract: Contract, added: str) -> None:
    """A rounding, a unit, a tie or yes and no that stand in the question are left out; twice stated is once."""
    asked = state(question, contract)
    assert asked.removeprefix(question).startswith(added) if added else asked == question
    assert state(asked, contract) == asked


@pytest.mark.parametrize(
    "value",
    [
        0,
        -3,
        10**30,
        2.5,
        1e-9,
        1e300,
        True,
        "x",
        "a, b",
        "Not Applicable",
        datetime.date(2020, 1, 2),
        None,
        [],
        {1: 2.5},
    ],
    ids=repr,
)
def test_inferred_contract_fits_its_value(value: object) -> None:
    """A value is the right answer under the contract that it suggests, as a value and, where it has a text, as that."""
    contract = infer(value)
    assert compare(value, value, contract).verdict == "correct"
    if value != []:
        assert compare(value, render(value, contract), contract).verdict == "correct"


@pytest.mark.parametrize("value", ["", " \n", "\u200b", ["", "a"], {"": 1}, {"a": ""}, {""}], ids=repr)
def test_empty_texts_suggest_no_contract(value: object) -> None:
    """A text that nobody can be seen to answer is no answer, nor is what holds one."""
    with pytest.raises(AnswerError, match="an empty text"):
        infer(value)


def test_alternatives_are_read_as_answers() -> None:
    """Another spelling of an alternative is as good as the alternative."""
    contract = contract_from_text("number, decimals=1, alternatives=12.5|13")
    assert compare(12.0, "12.50", contract).verdict == "correct"
    assert compare(12.0, "13.0", contract).verdict == "correct"
    assert compare(12.0, "14", contract).verdict == "wrong"
    assert parse("13.0", contract) == 13.0
