"""Lines and cells for the shell, in notebooks that are run again."""

import pytest

from cellwright.proof.repair import ran_whole

from .mending import Mend, sources, values


def test_lines_for_the_shell_take_nothing_with_them(mend: Mend) -> None:
    """Whether or not the command is there, finds anything or reaches a network, the rest of the cell has its values."""
    cells = (
        "!pip install --quiet no-such-package-of-ours\nkept = 1",
        "!wget -q http://nowhere.invalid/x.csv -O x.csv\n!ls no_such_folder\n!no-such-command\nkept = kept + 1",
        "kept + 1",
    )
    repaired = mend(*cells)
    assert (sources(repaired), repaired.losses) == (list(cells), ())
    assert values(repaired, 2) == [3]


def test_what_a_line_should_have_fetched_is_a_file_that_is_lost(mend: Mend) -> None:
    """With the values that depend on it; what does not, runs."""
    repaired = mend(
        "!wget -q http://nowhere.invalid/shop.csv\nimport pandas as pd",
        "shop = pd.read_csv('shop.csv')\nkept = 2",
        "shop.price.sum()",
        "kept + 1",
    )
    assert [(loss.cell, loss.cause, loss.is_direct) for loss in repaired.losses] == [
        (1, "file", True),
        (2, "file", False),
    ]
    assert [ran_whole(repaired, cell) for cell in range(4)] == [True, False, False, True]
    assert values(repaired, 3) == [3]


def test_what_a_command_said_is_a_value(mend: Mend) -> None:
    """In a notebook that is mended elsewhere, too."""
    repaired = mend(
        "words = !echo one two\nimport numpy as np", "words[0].split()", "float(np.product([2, len(words)]))"
    )
    assert repaired.losses == ()
    assert values(repaired, 2) == [2.0]


@pytest.mark.parametrize("magic", ["%%bash", "%%sh", "%%bash --no-raise-error", "%%script bash"])
def test_a_cell_for_the_shell_that_fails_computes_nothing(mend: Mend, magic: str) -> None:
    """Its commands stand in a comment, and no cell has lost a value."""
    repaired = mend("kept = 1", f"{magic}\npip install no-such-package-of-ours\nexit 3", "kept + 1")
    assert {loss.cause for loss in repaired.losses} <= {"magic"}
    assert all(cell.status == "ok" for cell in repaired.execution.cells)
    assert all(ran_whole(repaired, cell) for cell in range(3))
    assert values(repaired, 2) == [2]


def test_what_a_cell_for_the_shell_should_have_told_is_lost_with_it(mend: Mend) -> None:
    """Where the commands fail whose output has a name; where they run, it is a value."""
    repaired = mend("%%bash --out told\necho 5", "%%bash --out lost\nexit 3", "int(told) + 1", "int(lost)")
    assert [(loss.cell, loss.is_direct) for loss in repaired.losses] == [(1, True), (3, False)]
    assert not ran_whole(repaired, 1)
    assert values(repaired, 2) == [6]
