"""Snapshots compared: what a slice tells apart, and what an answer does not."""

from typing import Any

import pandas as pd
import pytest

from cellwright.proof.inside.snapshots import snapshot
from cellwright.proof.values import identical, is_opaque, load, plain, same

pandas: Any = pd
ALIKE = [((1, 2), [1, 2]), (range(2), [0, 1]), (frozenset({1}), {1}), (float("nan"), None), (-0.0, 0.0)]


@pytest.mark.parametrize(("first", "second"), ALIKE, ids=str)
def test_kinds_are_told_apart_by_slices_only(first: object, second: object) -> None:
    """Two values that an answer may not tell apart differ where the kinds count, and are plainly the same."""
    one, other = snapshot(first), snapshot(second)
    assert identical(one, one)
    assert not identical(one, other)
    assert same(one, other)
    assert plain(one) == plain(other)


def test_snapshots_without_kinds_still_load() -> None:
    """A record of before is read, and is the same as a value of today."""
    old = load('{"t": "list", "v": [{"t": "int", "v": 1}, {"t": "null"}]}')
    assert plain(old) == old
    assert same(old, snapshot((1, float("nan"))))


def test_text_of_its_own_makes_a_value_comparable() -> None:
    """An object is known by what it says of itself, unless that is where it lies in memory."""
    assert not is_opaque(snapshot([1j]))
    assert is_opaque(snapshot([object()]))
    assert plain(snapshot(1j)) == {"t": "other", "type": "builtins.complex"}


def test_long_list_that_holds_itself_is_read() -> None:
    """Its kinds are counted once."""
    held: dict[str, object] = {}
    held["self"] = held
    assert snapshot([held] * 400)["exact"]["kinds"]


MANY = 400
NEAR = [
    (3.1e-40, 7.7e-14),
    ([1_577_836_800_100 + n for n in range(MANY)], [1_577_836_800_000] * MANY),
    (pandas.DataFrame({"p": [1e-12] * MANY}), pandas.DataFrame({"p": [2e-12] * MANY})),
    (pandas.DataFrame({"n": [2**60 + 1] * MANY}), pandas.DataFrame({"n": [2**60] * MANY})),
]


@pytest.mark.parametrize(("first", "second"), NEAR, ids=["p-values", "long numbers", "small floats", "large integers"])
def test_values_of_any_size_are_told_apart(first: object, second: object) -> None:
    """By their first digits, not by how far apart they are."""
    assert not same(snapshot(first), snapshot(second))


def test_noise_is_no_difference() -> None:
    """The last digits of a sum, one by one and in a table; missing values and zeros are themselves."""
    assert same(snapshot(0.1 + 0.2), snapshot(0.3))
    tables = [pandas.DataFrame({"x": [value, None, -0.0, 0.0] * 100, "s": "a"}) for value in (0.1 + 0.2, 0.3)]
    assert same(*map(snapshot, tables))
