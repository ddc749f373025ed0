"""Why a failure cannot be helped."""

import pytest

from cellwright.proof.repair.cells import Statement
from cellwright.proof.repair.failures import Cause, Failure, cause_of


@pytest.mark.parametrize(
    ("error", "message", "cause"),
    [
        ("ModuleNotFoundError", "No module named 'keras'", "package"),
        ("ModuleNotFoundError", "No module named 'google.colab'", "package"),
        ("ModuleNotFoundError", "No module named 'sklearn.cross_validation'", "unknown"),
        ("ImportError", "cannot import name 'load_boston' from 'sklearn.datasets'", "unknown"),
        ("ImportError", "\n`load_boston` has been removed from scikit-learn", "unknown"),
        ("ImportError", "Missing optional dependency 'lxml'.", "package"),
    ],
)
def test_only_a_package_that_is_not_there_is_absent(error: str, message: str, cause: Cause) -> None:
    """A name or a module that a package has lost can be written in another way."""
    assert cause_of(failure("import x", error, message)) == cause


@pytest.mark.parametrize(
    ("source", "cause"),
    [
        ("g.map(plt.hist, 'a')", "plot"),
        ("ax1.bar(x, y)", "plot"),
        ("fig = plt.figure()", "plot"),
        ("g.set_index(['a']).sortlevel(0)", "unknown"),
        ("axis_tab = g.pivot('a', 'b', 'c')", "unknown"),
        ("figures['x'] = figures.lookup([0], ['a'])", "unknown"),
    ],
)
def test_a_name_that_begins_like_a_picture_is_none(source: str, cause: Cause) -> None:
    """A statement is about a picture by what it calls, not by how a table is named."""
    assert cause_of(failure(source, "TypeError", "no")) == cause


def failure(source: str, error: str, message: str) -> Failure:
    """A statement alone in its notebook that failed."""
    return Failure(error, message, 0, Statement(0, 0, len(source), 1, 1, source), (), (source,))
