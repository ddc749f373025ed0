"""The table of rules: each row's old form fails as the row says, and what the rule makes of it runs."""

import asyncio
import platform
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

import pytest
from packaging.version import Version

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.repair.patterns import Pattern, rewritten
from cellwright.proof.repair.python2 import as_python3
from cellwright.proof.repair.rules import Moved, Rule, moved_imports, table

_PRELOAD = ("numpy", "pandas", "matplotlib.pyplot", "seaborn", "sklearn", "scipy.stats")


class Bench:
    """One kernel for all rows: each program runs in a fork of it."""

    def __init__(self, runner: asyncio.Runner, judge: Judge) -> None:
        self._runner, self._judge = runner, judge

    def run(self, *units: str) -> Run:
        """What comes of statements in a fresh process."""
        (run,) = self._runner.run(self._judge.run([Program(tuple(unit for unit in units if unit), None)]))
        return run


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with asyncio.Runner() as runner:
        pool = runner.run(_pool())
        context = pool.kernel(KernelSettings())
        kernel = runner.run(context.__aenter__())
        try:
            yield Bench(runner, Judge(kernel, timeout_s=20, seed=1, preload=_PRELOAD))
        finally:
            runner.run(context.__aexit__(None, None, None))
            runner.run(pool.close())


async def _pool() -> LocalPool:
    return LocalPool(1, rung="trusted")


def examples(rules: Sequence[Rule]) -> list[Any]:
    """Every example of some rows: the row, what stands before, and what after."""
    found = [(rule, before, after) for rule in rules for before, after in ((rule.before, rule.after), *rule.more)]
    return [pytest.param(*example, id=f"{example[0].name}: {example[1]}") for example in found]


def test_every_row_has_an_example() -> None:
    """No row stands in the table untried."""
    assert [rule.name for rule in (*table().rules, *table().silent) if not (rule.before and rule.after)] == []


@cache
def installed(library: str) -> Version:
    """The version of a library, or of Python, that these tests and their kernels have."""
    return Version(platform.python_version() if library == "python" else version(library))


def is_over(row: Rule | Moved) -> bool:
    """Whether the old form is no more in the installed version, as the row has it."""
    until = row.until if isinstance(row, Rule) else ""
    return Version(row.since) <= installed(row.library) and (not until or installed(row.library) < Version(until))


@pytest.mark.parametrize(("rule", "before", "after"), examples(table().rules))
def test_the_old_form_fails_and_the_new_one_runs(rule: Rule, before: str, after: str, bench: Bench) -> None:
    """A row's example fails from the version on that the row says, is rewritten as the row says, and runs after."""
    assert not bench.run(rule.setup, after).error
    failed = bench.run(rule.setup, before)
    assert bool(failed.error) == is_over(rule), "the old form went, or came back, in another version than the row says"
    if failed.error:
        assert failed.unit == bool(rule.setup), failed
        assert after in list(rule.texts(before, failed.error, failed.text))


@pytest.mark.parametrize(("rule", "before", "after"), examples(table().silent))
def test_what_gives_no_error_gives_another_value(rule: Rule, before: str, after: str, bench: Bench) -> None:
    """A silent row's two forms both run, and show different things: that is why it is needed."""
    made = [next(rewritten(before, pattern), "") for pattern in rule.patterns()]
    assert after in made
    run = bench.run(rule.setup, f"assert repr({before}) != repr({after})")
    assert not run.error, run.text


def test_rows_have_names_of_their_own() -> None:
    """A repair's record names one row."""
    names = [rule.name for rule in (*table().rules, *table().silent)]
    assert len(names) == len(set(names))


_FIND = """
import importlib, types, warnings

def find(name):
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found

def is_current(name, new):
    "Whether it is there, and does not say that it, or what it has of the new place, is deprecated."
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found = find(name)
        for part in dir(find(new)) if isinstance(found, types.ModuleType) else ():
            getattr(found, part, None)
    return found is not None and not any("deprecat" in str(one.message).lower() for one in said)
"""
_PACKAGES_OF_THEIR_OWN = ("mplfinance", "ipywidgets", "ipyparallel")


def test_what_moved_is_where_the_row_says(bench: Bench) -> None:
    """Each new place can be imported; those of packages that a notebook needs beside, where they are installed."""
    places = sorted({moved.new for moved in table().moved if moved.new not in _PACKAGES_OF_THEIR_OWN})
    run = bench.run(
        _FIND, f"missing = [name for name in {places} if find(name) is None]", "assert not missing, missing"
    )
    assert not run.error, run.text
    assert bench.run(_FIND, "assert find('pandas.nowhere') is not None").error


def test_what_moved_is_gone_or_deprecated_where_it_was(bench: Bench) -> None:
    """From the version on that the row says; in one of before it is there."""
    rows = [(row.old, row.new, is_over(row)) for row in table().moved]
    wrong = f"wrong = [old for old, new, over in {rows} if (is_current(old, new) if over else find(old) is None)]"
    run = bench.run(_FIND, wrong, "assert not wrong, wrong")
    assert not run.error, run.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("from sklearn.cross_validation import KFold  # ten", "from sklearn.model_selection import KFold  # ten"),
        ("from sklearn import cross_validation", "from sklearn import model_selection as cross_validation"),
        ("from sklearn.externals import joblib", "import joblib"),
        (
            "from sklearn.preprocessing import Imputer, StandardScaler",
            "from sklearn.impute import SimpleImputer as Imputer; from sklearn.preprocessing import StandardScaler",
        ),
        ("import cPickle", "import pickle as cPickle"),
        ("from StringIO import StringIO", "from io import StringIO"),
        (
            "from sklearn.metrics import accuracy_score, plot_roc_curve as draw",
            "from sklearn.metrics import accuracy_score; "
            "draw = __import__('sklearn.metrics').metrics.RocCurveDisplay.from_estimator",
        ),
        ("import numpy as np", None),
    ],
)
def test_imports_follow_what_moved(old: str, new: str | None) -> None:
    """An import names the place where a thing stands now, under the name that the notebook uses."""
    assert moved_imports(old, table().moved) == new


@pytest.mark.parametrize(
    ("statement", "pattern", "expected"),
    [
        ("f(a,  # keep\n  b=1)", ("f(..., b=$v)", "g(..., c=$v)"), "g(a,  # keep\n  c=1)"),
        ("(a + b).ix[0:2]", ("$x.ix[...]", "$x.loc[...]"), "(a + b).loc[0:2]"),
        ("g(a + b)", ("g($x)", "$x.h()"), "(a + b).h()"),
        ("x = f(f(1))", ("f($x)", "g($x)"), "x = g(g(1))"),
        ("f(*a)", ("f($x)", "g($x)"), None),
        ("d.a.f()", ("$d.$c.f()", "$d['$c'].g()"), "d['a'].g()"),
        ("f(1, b=2)", ("f($x, ...)", "f($x, ..., b=3)"), None),
        ("%time f(1)\nf(1)", ("f($x)", "g($x)"), "%time f(1)\ng(1)"),
    ],
)
def test_patterns_keep_what_they_do_not_name(statement: str, pattern: tuple[str, str], expected: str | None) -> None:
    """Comments, layout, parentheses and other arguments stay as the author wrote them."""
    assert next(rewritten(statement, Pattern(*pattern, {})), None) == expected


def test_only_what_is_passed_to_some_functions_is_rewritten() -> None:
    """Alone, in a list or in a dictionary; not what is worked out with it."""
    pattern = Pattern("sum", "'sum'", {}, inside="agg")
    found = next(rewritten("x.agg({'a': [sum, max]}, b=sum) + sum(x) + x.agg(sum(y))", pattern))
    assert found == "x.agg({'a': ['sum', max]}, b='sum') + sum(x) + x.agg(sum(y))"


@pytest.mark.parametrize("text", ["x = a" + ".b" * 5000, "x = " + "-" * 3000 + "1", "x = " + "(" * 150 + ")" * 150])
def test_hostile_depth_is_left_alone(text: str) -> None:
    """An expression deep enough to end or hold the parser is not given to it."""
    assert list(rewritten(text, Pattern("$x.b", "$x.c", {}))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("print 'a', x", "print('a', x)"),
        ("%matplotlib inline\nprint x,", "%matplotlib inline\nprint(x, end=' ')"),
        ("try:\n    f()\nexcept ValueError, e:\n    pass", "try:\n    f()\nexcept ValueError as e:\n    pass"),
        ("this is no Python", None),
    ],
)
def test_python2_becomes_python3(old: str, new: str | None) -> None:
    """A cell of Python 2 becomes one of Python 3; what is neither stays as it is."""
    assert as_python3(old) == new
