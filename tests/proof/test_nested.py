"""What can be left out inside a statement."""

import pytest

from cellwright.proof.nested import without_one

BRANCHES = [
    ("if c:\n    a = 1\nelse:\n    b = 2", ["if c:\n    a = 1", "if c:\n    pass\nelse:\n    b = 2"]),
    ("if c:\n    a = 1", []),
    ("if c:\n    pass\nelse:\n    b = 2", ["if c:\n    pass"]),
    ("match c:\n    case 1:\n        a = 1", ["match c:\n    case 1:\n        pass"]),
    ("def f():\n    if c:\n        a = 1\n    else:\n        b = 2\n    return a, b", []),
]


@pytest.mark.parametrize(("source", "fewer"), BRANCHES)
def test_each_branch_of_several_may_be_emptied(source: str, fewer: list[str]) -> None:
    """An alone-standing statement of a branch goes where another branch stays, and nothing is tried twice."""
    assert list(without_one(source)) == fewer
