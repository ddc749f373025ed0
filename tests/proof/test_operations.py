"""What a program did to its tables when it ran: seen from its own lines, and the level that follows from it."""

import asyncio
from collections.abc import Iterator

import pytest

from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.difficulty import OPERATIONS, level
from cellwright.proof.inside import operations
from cellwright.proof.judge import Judge, Program, Run

LOAD = ("import pandas as pd", "import numpy as np", "df = pd.read_csv('data/a.csv')")


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Watching"]:
    table = tmp_path_factory.mktemp("tables") / "a.csv"
    table.write_text("g,x,y,day\n" + "".join(f"{'pq'[n % 2]},{n},{n * n},2020-01-{n + 1:02d}\n" for n in range(20)))
    with asyncio.Runner() as runner:
        pool = LocalPool(1, rung="trusted")
        context = pool.kernel(KernelSettings({"a.csv": table}, 0))
        kernel = runner.run(context.__aenter__())
        watching, plain = (Judge(kernel, timeout_s=10, seed=1, watch=watch, checkpoints=2) for watch in (True, False))
        yield Watching(runner, watching, plain)
        runner.run(context.__aexit__(None, None, None))
        runner.run(pool.close())


class Watching:
    """A judge that watches, asked from synchronous tests, and one that does not: both must see the same value."""

    def __init__(self, runner: asyncio.Runner, watching: Judge, plain: Judge) -> None:
        self._runner, self._watching, self._plain = runner, watching, plain

    def __call__(self, *units: str, expression: str) -> Run:
        program = Program((*LOAD, *units), expression)
        (run,) = self._runner.run(self._watching.run([program]))
        (plain,) = self._runner.run(self._plain.run([program]))
        assert run.value is not None, run
        assert run.value == plain.value
        assert plain.operations == ()
        return run


# Statements and expression, the operations after loading, the level, the columns that are named.
SEEN = {
    "a statistic": ((), "df.x.mean()", "aggregate", 1, "x"),
    "a condition": ((), "len(df[df['x'] > 3])", "aggregate compare filter", 1, "x"),
    "groups": ((), "df.groupby('g')['x'].mean().idxmax()", "group aggregate extreme", 2, "g x"),
    "a query": ((), "df.query('x > 3 and g == \"p\"').y.sum()", "filter aggregate", 1, "g x y"),
    "a new column": (("df['z'] = df['x'] / df['y']",), "df['z'].max()", "arithmetic derive aggregate", 1, "x y"),
    "a local name in a query": (("low = 3",), "df.query('x > @low').shape[0]", "filter", 1, "x"),
    "a join": (("m = df.merge(df[['x', 'y']], on='x')",), "len(m)", "join aggregate", 2, "x y"),
    "a date": ((), "pd.to_datetime(df['day']).dt.day.max()", "date date aggregate", 1, "day"),
    "a branch": (("df['k'] = np.where(df.x > 3, 1, 0)",), "df.k.sum()", "branch compare derive aggregate", 2, "x"),
    "a window": ((), "df['x'].rolling(3).mean().max()", "window aggregate aggregate", 2, "x"),
    "a test": (("from scipy import stats",), "stats.pearsonr(df.x, df.y)[0]", "test", 1, "x y"),
    "nothing": ((), "df.shape[0]", "", 1, ""),
}


@pytest.mark.parametrize("name", SEEN)
def test_operations_are_those_that_ran(name: str, judge: Watching) -> None:
    """Each program shows what it did, in order, and which columns of the file it names."""
    units, expression, wanted, at_level, columns = SEEN[name]
    run = judge(*units, expression=expression)
    assert run.operations == ("load", *wanted.split())
    assert level(run.operations, 1) == at_level
    assert sorted(run.columns) == columns.split()


def test_only_what_runs_counts(judge: Watching) -> None:
    """A branch that is not taken does nothing, and a loop does once what it does many times."""
    run = judge(
        "if len(df) > 1000:\n    df = df.merge(df, on='x')",
        "found = [part.x.mean() for _, part in df.groupby('g')]",
        "for column in ('x', 'y'):\n    found.append(df[column].max())",
        expression="len(found)",
    )
    assert "join" not in run.operations
    assert run.operations.count("branch") == 1
    assert run.operations.count("loop") == 1
    assert run.operations.count("aggregate") == 4  # len, mean, max, len


def test_watching_changes_no_value(judge: Watching) -> None:
    """Functions that look at their caller, classes, matches and decorators do what they do without a watcher."""
    run = judge(
        "class Base:\n    def value(self) -> int:\n        return 2",
        "class Child(Base):\n    def value(self) -> int:\n        return super().value() + len(locals())",
        "import functools\n@functools.cache\ndef twice(n: int) -> int:\n    return n * 2",
        "def kind(v):\n    match v:\n        case {'a': 1}:\n            return 'map'\n"
        "        case _ if v:\n            return 'full'",
        "def stem(n):\n    low = n\n    return len(df.query('x > @low'))",
        expression="[Child().value(), twice(3), kind({'a': 1}), kind(5), stem(17), f'{df.x.sum():.1f}']",
    )
    assert run.value is not None
    assert [item["v"] for item in run.value["v"]] == [4, 6, "map", "full", 2, "190.0"]


def test_every_operation_has_a_weight_and_words() -> None:
    """What the kernel can see, the levels know, and the other way round."""
    seen = {*operations._GROUPS, "text", "date", "branch", "loop", "filter", "derive", "arithmetic", "compare"}
    assert seen == set(OPERATIONS)


def test_levels_rise_with_files_and_operations() -> None:
    """More work is never an easier task."""
    done: list[str] = []
    before = 0
    for name in ("load", "compare", "filter", "group", "aggregate", "extreme", "load", "join", "window", "test"):
        done.append(name)
        now = level(done, done.count("load"))
        assert now >= before
        before = now
    assert before == 5
    assert level(["aggregate"] * 3, 1) < level(["aggregate"] * 3, 2)
