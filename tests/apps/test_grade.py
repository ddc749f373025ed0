"""`cellwright grade` as a person types it."""

import json

import pytest

from tests.apps.commands import said as cellwright

VERDICTS = [
    ("5.25", "-5.25", "number, decimals=2", 1, "wrong (sign)"),
    ("5.25", "5.250001", "number, decimals=2", 0, "correct"),
    ("2020-04-03", "03/04/2020", "date", 3, "unscored"),
    ("0.4524", "45.24%", '{"kind": "percent", "unit": "fraction", "decimals": 4}', 0, "correct"),
    ('[["a", 1], ["b", 2]]', "a: 2, b: 1", "mapping of text to integer", 1, "wrong (value)"),
    ("a, b", "b, a", "list of text", 1, "wrong (order)"),
    ("Not Applicable", "N/A", "integer", 0, "correct"),
]


@pytest.mark.parametrize(("expected", "given", "contract", "code", "said"), VERDICTS)
def test_verdict_comes_with_its_reason(expected: str, given: str, contract: str, code: int, said: str) -> None:
    """The first line is the verdict and why; then the contract in words, and how both answers were read."""
    done = cellwright("grade", "--expected", expected, "--given", given, "--contract", contract)
    first, *rest = done.stdout.splitlines()
    assert (done.returncode, first.partition(":")[0]) == (code, said), done.stderr
    assert [line.split()[0] for line in rest] == ["contract", "expected", "read"]


def test_machines_get_the_same_facts() -> None:
    """With --json the verdict, its reason, the contract and both answers are one object."""
    done = cellwright("grade", "--expected", "12", "--given", "about 12", "--contract", "integer", "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["verdict"], found["why"]) == (1, "wrong", "hedged")
    assert (found["contract"], found["expected"], found["read"]) == ({"kind": "integer"}, "12", None)
    assert "hedges" in found["not_read"]


MISTAKES = {
    ("12", "nummber"): "did you mean 'number'",
    ("12", "number, decimal=2"): "did you mean 'decimals'",
    ("12", '{"kind": "number", "decimals": "two"}'): "decimals: 'two'",
    ("12", "{"): "not JSON",
    ("twelve", "integer"): "--expected: 'twelve' is no answer under the contract",
    ("2020-03-04 12:30:00", "date"): "write 'date, unit=second'",
}


@pytest.mark.parametrize(("expected", "contract"), MISTAKES)
def test_mistakes_get_one_line(expected: str, contract: str) -> None:
    """A contract that is none, or an expected answer that does not fit it: exit code 2 and what to do."""
    done = cellwright("grade", "--expected", expected, "--given", "12", "--contract", contract)
    assert done.returncode == 2
    assert MISTAKES[expected, contract] in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
