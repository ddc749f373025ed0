"""Splits: tables that are read together stay together, and sides get about their share."""

from itertools import permutations

from cellwright.dataset.splits import TableGroups, assign_splits


def test_tables_read_together_are_one_group() -> None:
    """Groups join where a task reads tables of both."""
    groups = TableGroups()
    groups.add(["a", "b"])
    groups.add(["c"])
    groups.add(["b", "d"])
    assert groups.group("a") == groups.group("b") == groups.group("d") != groups.group("c")


def test_sides_get_their_share_whatever_the_order() -> None:
    """Many small groups fill test and validation to a tenth each; the order of reading does not matter."""
    weights = {f"group {number}": 1 + number % 3 for number in range(300)}
    splits = assign_splits(weights, 0.1, 0.1)
    assert splits == assign_splits(dict(reversed(weights.items())), 0.1, 0.1)
    total = sum(weights.values())
    for side in ("test", "validation"):
        share = sum(weight for group, weight in weights.items() if splits[group] == side) / total
        assert 0.09 <= share <= 0.11


def test_one_large_group_is_for_training() -> None:
    """A side is not overfilled by a group that is most of the data."""
    assert assign_splits({"all": 100}, 0.1, 0.1) == {"all": "train"}


def test_group_has_one_name_in_whichever_order_its_tasks_come() -> None:
    """A corpus that is read in another order moves no table to another side."""
    together = [["b", "a"], ["c", "d"], ["a", "c"], ["f", "e"]]
    for order in permutations(together):
        groups = TableGroups()
        for tables in order:
            groups.add(tables)
        assert [groups.group(table) for table in "abcdef"] == ["a", "a", "a", "a", "e", "e"]
