"""Composing over tables: what profiles tell, which joins are found, and what every composed program keeps to."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest

from cellwright.core.types import Table
from cellwright.kernels import KernelSettings, LocalPool
from cellwright.proof.compose import (
    Composed,
    TableProfile,
    Unprofiled,
    compose,
    differing,
    loads,
    sources,
    take_profiles,
)
from cellwright.proof.compose.keys import contained, joins, shared_keys, shared_labels, stacks
from cellwright.proof.compose.sources import compared
from cellwright.proof.judge import Judge, Program
from cellwright.proof.questions import Unreadable, read_slice
from tests.proof.compose.tables import lay_out


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


@pytest.fixture(scope="module")
def taken(folder: Path) -> dict[str, TableProfile | Unprofiled]:
    return asyncio.run(_take(lay_out(folder)))


async def _take(files: dict[str, Path], notebook: str = "") -> dict[str, TableProfile | Unprofiled]:
    tables = [Table(hashlib.sha256(path.read_bytes()).hexdigest(), name, 1) for name, path in files.items()]
    async with LocalPool(1, rung="trusted") as pool, pool.kernel(KernelSettings(files, 0)) as kernel:
        judge = Judge(kernel, timeout_s=20, seed=1)
        found = await take_profiles(tables, {table.name: loads(table, [notebook]) for table in tables}, judge)
    return {entry.table.name: entry for entry in found}


def good(taken: dict[str, TableProfile | Unprofiled]) -> list[TableProfile]:
    return [entry for entry in taken.values() if isinstance(entry, TableProfile)]


def test_columns_are_told_apart(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """Numbers that count rows, that stand for groups, that measure; labels, dates and names: each has its kind."""
    sales, shops = taken["sales_2019.csv"], taken["shops.csv"]
    assert isinstance(sales, TableProfile)
    assert isinstance(shops, TableProfile)
    kinds = {column.name: column.kind for column in (*sales.columns, *shops.columns)}
    assert kinds == {
        "sale": "id", "shop": "name", "day": "date", "product": "category", "quantity": "number",
        "unit_price": "number", "unit_cost": "number", "year": "code", "city": "category", "area": "number",
        "title": "name",
    }  # fmt: skip
    cost = sales.column("unit_cost")
    assert cost is not None
    assert cost.missing == 12
    assert all(0.05 <= cut.below <= 0.95 for cut in cost.cuts)


def test_tables_of_no_use_say_why(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """Files without a header row, of numbers or of labels that come again, and one with a single row are left out."""
    reasons = {name: entry.reason for name, entry in taken.items() if isinstance(entry, Unprofiled)}
    assert reasons == {
        "headless.csv": "no header row",
        "births.txt": "no header row",
        "tiny.csv": "fewer rows than questions need",
        "totals.csv": "has rows of totals or notes",
    }


def test_columns_of_no_use_are_left_out(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """A name that pandas made, a number written with a zero before it, and one with a code for none."""
    readings = taken["readings.csv"]
    assert isinstance(readings, TableProfile)
    assert {column.name: column.kind for column in readings.columns} == {
        "class": "code",
        "heat": "number",
        "site": "other",
        "cold": "other",
    }


NOTEBOOK = "\n".join((
    "a = pd.read_csv('data/a.csv', na_values=['-'], dtype={'site': str})",
    "b = pd.read_csv('data/b.csv', index_col=0, skiprows=2)",
    "c = pd.read_csv('data/c.csv', index_col=0)",
    "e = pd.read_csv('data/e.csv', nrows=9, skiprows=2)",
    "d = pd.read_csv('data/d.csv', sep=';')",
))  # fmt: skip


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("a.csv", "pd.read_csv('data/a.csv', na_values=['-'], dtype={'site': str})"),
        ("b.csv", "pd.read_csv('data/b.csv', skiprows=2)"),
        ("e.csv", None),
        ("f.npy", None),
        ("c.csv", "pd.read_csv('data/c.csv')"),
        ("d.csv", "pd.read_csv('data/d.csv')"),
    ],
)
def test_what_a_notebook_says_of_its_file_holds(name: str, first: str | None) -> None:
    """A file that its notebook reads otherwise is never read plainly; where it cannot be read so, not at all."""
    found = loads(Table("0" * 64, name, 1), [NOTEBOOK])
    assert (found[0] if found else None) == first
    assert first is None or "na_values" not in first or len(found) == 1


def test_tables_that_are_not_loaded_say_why(tmp_path: Path) -> None:
    """A file of a kind that no program here loads is told from one that its notebook loads in part."""
    files = {"e.csv": tmp_path / "e.csv", "f.npy": tmp_path / "f.npy"}
    for path in files.values():
        path.write_text("a,b\n1,2\n", "utf-8")
    taken = asyncio.run(_take(files, NOTEBOOK))
    assert {name: entry.reason for name, entry in taken.items() if isinstance(entry, Unprofiled)} == {
        "e.csv": "its notebook loads it in a way of its own",
        "f.npy": "no way to load such a file is known",
    }


def test_joins_need_a_key_that_is_unique_on_one_side(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """Sales join shops on the shop, cards their members, and not the other way round; the two files of sales stack."""
    profiles = good(taken)
    found = {(join.left.table.name, join.right.table.name, join.key) for join in joins(profiles)}
    sales = {(f"sales_{year}.csv", "shops.csv", "shop") for year in (2019, 2020)}
    assert found == {*sales, ("cards.csv", "members.csv", "member")}
    stacked = [[table.table.name for table in stack.tables] for stack in stacks(profiles)]
    assert stacked == [["sales_2019.csv", "sales_2020.csv"]]


def test_pairs_need_values_in_common(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """Columns of one name are a key, or labels, of two tables only where enough of their values are the same."""
    profiles = good(taken)
    keys = {(pair.first.table.name, pair.second.table.name): pair.column for pair in shared_keys(profiles)}
    assert ("members.csv", "shops.csv") not in keys
    assert keys["members.csv", "cards.csv"] == keys["cards.csv", "members.csv"] == "member"
    labels = {(pair.first.table.name, pair.second.table.name): pair.column for pair in shared_labels(profiles)}
    assert labels["sales_2019.csv", "sales_2020.csv"] == "shop"
    assert not {pair for pair in labels if "members.csv" in pair and "shops.csv" in pair}
    # Twelve shops tell more than four products, whatever they are called.
    names = {"shop": "a", "product": "z"}
    renamed = [
        replace(profile, columns=tuple(replace(c, name=names.get(c.name, c.name)) for c in profile.columns))
        for profile in profiles
        if profile.table.name.startswith("sales")
    ]
    assert {pair.column for pair in shared_labels(renamed)} == {"a"}


def test_a_join_of_a_handful_of_rows_has_few_programs(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """How many tasks a source could give is known before any program runs."""
    (first, second) = (p for p in good(taken) if p.table.name.startswith("sales"))
    (pair,) = (pair for pair in shared_labels([first, second]) if pair.first is first)
    many = compared(pair)
    assert len(differing(many, 1, drafts=100, enough=30)) == 30
    few = differing(replace(many, columns=many.columns[:2]), 1, drafts=100, enough=30)
    assert len(few) < 10


@pytest.mark.parametrize(("first", "second", "share"), [(range(50), range(50), 1), (range(50), range(25), 0.5)])
def test_overlap_of_small_columns_is_exact(first: Sequence[int], second: Sequence[int], share: float) -> None:
    """Sketches that hold every value tell the share exactly."""
    assert contained(first, second) == share


def programs(taken: dict[str, TableProfile | Unprofiled], seed: int, each: int = 40) -> list[Composed]:
    profiles = good(taken)
    found = sources(profiles, [profile.table.name for profile in profiles])
    every = [source for kind in found for source in kind]
    return [composed for source in every for composed in islice(compose(source, seed), each)]


def test_a_seed_decides_everything(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """The same seed composes the same programs, another seed others."""
    assert programs(taken, 1) == programs(taken, 1)
    assert programs(taken, 1) != programs(taken, 2)


def test_programs_keep_to_sensible_columns(taken: dict[str, TableProfile | Unprofiled]) -> None:
    """No statistic of an id or a year, no group by an id, and joins are used on both sides."""
    for composed in programs(taken, 3):
        text = "\n".join((*composed.units, composed.expression))
        for statistic in ("mean", "median", "std", "sum", "corr", "quantile"):
            assert f"['sale'].{statistic}(" not in text
            assert f"['year'].{statistic}(" not in text
        assert "groupby('sale')" not in text
        assert "groupby('title')" not in text
        if composed.joined and composed.family != "above-group":
            assert len(composed.tables) >= 2


@pytest.mark.slow
def test_readable_programs_run(taken: dict[str, TableProfile | Unprofiled], folder: Path) -> None:
    """Whatever the reader can word also runs: nothing fails for a reason that its profile could have told."""
    readable = []
    for composed in programs(taken, 4, 20):
        try:
            read_slice(composed.units, composed.expression)
        except Unreadable:
            continue
        readable.append(composed)
    assert len(readable) > 60
    assert {composed.joined for composed in readable} == {True, False}
    assert {"matching", "between-groups", "above-group", "between-files"} <= {composed.family for composed in readable}
    failed = asyncio.run(_failures(readable, {path.name: path for path in folder.iterdir()}))
    # A label may be gone after a filter, so a program may find nothing; it must not break in another way.
    assert {error for error, _ in failed} <= {"KeyError", "ValueError"}, failed
    assert len(failed) < len(readable) / 20


async def _failures(readable: Sequence[Composed], files: dict[str, Path]) -> list[tuple[str, str]]:
    async with LocalPool(1, rung="trusted") as pool, pool.kernel(KernelSettings(files, 0)) as kernel:
        judge = Judge(kernel, timeout_s=20, seed=1, preload=["pandas", "scipy.stats"], checkpoints=4)
        runs = await judge.run([Program(c.units, f"({c.guard}, {c.expression})") for c in readable])
    return [(run.error, run.text) for run in runs if run.value is None]
