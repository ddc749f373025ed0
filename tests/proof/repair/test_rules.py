"""The table of rules: each row's old form fails as the row says, and what the rule makes of it runs."""

import asyncio
from collections.abc import Iterator

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.judge import Judge, Program, Run
from cellwright.proof.repair.patterns import Pattern, rewritten
from cellwright.proof.repair.python2 import as_python3
from cellwright.proof.repair.rules import Rule, moved_imports, table

_PRELOAD = ("numpy", "pandas", "matplotlib.pyplot", "seaborn", "sklearn", "scipy.stats")
_SHOWN = [rule for rule in table().rules if rule.before]


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


@pytest.mark.parametrize("rule", _SHOWN, ids=[rule.name for rule in _SHOWN])
def test_the_old_form_fails_and_the_new_one_runs(rule: Rule, bench: Bench) -> None:
    """A row's example fails before, is rewritten as the row says, and runs after."""
    failed = bench.run(rule.setup, rule.before)
    assert failed.error, "the old form still runs: the row is not needed"
    assert failed.unit == bool(rule.setup), failed
    assert rule.after in list(rule.texts(rule.before, failed.error, failed.text))
    assert not bench.run(rule.setup, rule.after).error


@pytest.mark.parametrize("rule", table().silent, ids=[rule.name for rule in table().silent])
def test_what_gives_no_error_gives_another_value(rule: Rule, bench: Bench) -> None:
    """A silent row's two forms both run, and show different things: that is why it is needed."""
    made = [next(rewritten(rule.before, pattern), "") for pattern in rule.patterns()]
    assert rule.after in made
    assert not bench.run(rule.setup, f"assert {rule.before} != {rule.after}").error


def test_rows_have_names_of_their_own() -> None:
    """A repair's record names one row."""
    names = [rule.name for rule in (*table().rules, *table().silent)]
    assert len(names) == len(set(names))


_THERE = """
import importlib, warnings
warnings.simplefilter("ignore")
def there(name):
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ImportError:
            continue
        for part in parts[count:]:
            found = getattr(found, part, None)
        return found is not None
    return False
"""
_PACKAGES_OF_THEIR_OWN = ("mplfinance", "ipywidgets", "ipyparallel")


def test_what_moved_is_where_the_row_says(bench: Bench) -> None:
    """Each new place can be imported; those of packages that a notebook needs beside, where they are installed."""
    places = {moved.new for moved in table().moved if moved.new not in _PACKAGES_OF_THEIR_OWN}
    run = bench.run(
        _THERE, f"missing = [name for name in {sorted(places)} if not there(name)]", "assert not missing, missing"
    )
    assert not run.error, run.text
    assert bench.run(_THERE, "assert there('pandas.nowhere')").error


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
        ("%time f(1)\nf(1)", ("f($x)", "g($x)"), "%time f(1)\ng(1)"),
    ],
)
def test_patterns_keep_what_they_do_not_name(statement: str, pattern: tuple[str, str], expected: str | None) -> None:
    """Comments, layout, parentheses and other arguments stay as the author wrote them."""
    assert next(rewritten(statement, Pattern(*pattern, {})), None) == expected


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
