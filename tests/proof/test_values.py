"""Snapshots compared: what a slice tells apart, and what an answer does not."""

import pytest

from cellwright.proof.inside.snapshots import snapshot
from cellwright.proof.values import identical, is_opaque, load, plain, same

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
