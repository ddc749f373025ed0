"""The ladder of hints: each rung tells more, and none gives away the next."""

import ast
import json

import pytest

from cellwright.core.types import Oracle
from cellwright.proof.hints import ladder, masked
from cellwright.proof.judge import Run

CELLS = (
    "import pandas as pd\ndf = pd.read_csv('data/shop.csv', sep=';')  # 1200 rows",
    "df = df[df['price'] >= 12.5]",
    "df.groupby('city')['price'].mean().nlargest(3).index.tolist()",
)
COMMENTS = ("Load `shop.csv`.", "Keep only the rows where `price` is at least 12.5.", "Now the question itself: which?")
QUESTION = "In `shop.csv`, which 3 values of `city` have the highest mean of `price` where `price` is at least 12.5?"
RUN = Run(
    None,
    "",
    "",
    -1,
    0.0,
    operations=("load", "compare", "filter", "group", "aggregate", "sort"),
    columns=("city", "price"),
)


def rungs(answer: object = ("Chur", "Basel", "Davos"), run: Run = RUN) -> tuple[str, ...]:
    return ladder(QUESTION, json.dumps(answer), Oracle(CELLS, COMMENTS, (0, 1, 2)), run)


def test_rungs_tell_more_and_more() -> None:
    """Columns, then the method in words, then the program without literals, then the program."""
    columns, method, form, program = rungs()
    assert columns == "Columns needed: `city`, `price`."
    assert method.splitlines()[:2] == ["1. Load `shop.csv`.", "2. Keep only the rows where `price` is at least 12.5."]
    assert "group the rows" in method
    assert ".groupby(...)[...].mean().nlargest(...)" in form
    assert program == "\n\n".join(CELLS)


def test_words_hold_no_code() -> None:
    """No call, subscript or assignment of the program stands in the first two rungs."""
    for rung in rungs()[:2]:
        assert not any(piece in rung for piece in ("(", "[", "=", "df", "groupby", "read_csv"))


def test_the_form_holds_no_literal() -> None:
    """Numbers, texts and comments are gone from the third rung, and it is still Python."""
    form = rungs()[2]
    literals = [node.value for node in ast.walk(ast.parse(form)) if isinstance(node, ast.Constant)]
    assert set(literals) == {...}
    assert not any(text in form for text in ("shop", "price", "12", "city", "3", "1200"))


@pytest.mark.parametrize(
    "source",
    [
        "x = -1",
        "f'{a:.2f}'",
        "match a:\n    case 3:\n        b = 'c'\n    case None:\n        pass",
        "d['k'][1:2] = {**e, 'f': 1j}",
    ],
)
def test_any_literal_is_masked(source: str) -> None:
    """Negative numbers, formatted texts, patterns, slices and dictionaries keep no constant."""
    assert {type(node.value) for node in ast.walk(ast.parse(masked(source))) if isinstance(node, ast.Constant)} <= {
        type(...)
    }


def test_the_answer_stands_only_in_the_program_s_result() -> None:
    """A column or a step that names the answer is left out of the rungs before the program."""
    run = Run(None, "", "", -1, 0.0, operations=("load", "extreme"), columns=("city", "price"))
    question = "Which column of `shop.csv` has the most missing values?"
    oracle = Oracle(CELLS, ("Load `shop.csv`.", "Look only at `price`.", "Now the question itself: which?"), (0, 1, 2))
    for rung in ladder(question, '"price"', oracle, run)[:3]:
        assert "price" not in rung
