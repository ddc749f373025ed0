"""Programs with one thing less."""

from cellwright.proof.compose import lesser_programs
from cellwright.proof.judge import Program

LOAD = ("import pandas as pd", "a = pd.read_csv('data/a.csv')")


def test_steps_go_one_by_one() -> None:
    """Loads and imports stay: without them there is no program."""
    units = (*LOAD, "a = a.dropna()", "a = a[a['x'] > 1]")
    assert lesser_programs(units, "a['y'].mean()") == [
        Program((*LOAD, "a = a[a['x'] > 1]"), "a['y'].mean()"),
        Program((*LOAD, "a = a.dropna()"), "a['y'].mean()"),
    ]


def test_conditions_go_one_by_one() -> None:
    """Each side of every `&`, in steps and in what is shown."""
    units = (*LOAD, "b = a[(a['x'] > 1) & (a['y'] < 2)]")
    shown = "((b['z'] == 1) & (b['x'] == 2) & (b['y'] == 3)).sum()"
    expressions = {p.expression for p in lesser_programs(units, shown) if len(p.units) == 3 and p.units == units}
    assert expressions == {
        "((b['z'] == 1) & (b['x'] == 2)).sum()",
        "(b['y'] == 3).sum()",
        "((b['z'] == 1) & (b['y'] == 3)).sum()",
        "((b['x'] == 2) & (b['y'] == 3)).sum()",
    }
    steps = {p.units[-1] for p in lesser_programs(units, shown) if p.expression == shown}
    assert steps == {LOAD[1], "b = a[a['x'] > 1]", "b = a[a['y'] < 2]"}


def test_a_program_of_one_thing_has_nothing_less() -> None:
    """A load and a statistic."""
    assert lesser_programs(LOAD, "a['x'].mean()") == []
