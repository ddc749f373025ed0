"""Questions whose words need a look at the table: which columns stand at a place, or are of a kind."""

from pathlib import Path

from tests.pipeline.building import build
from tests.writing import write_notebook

_ROWS = [f"{city},{year},{(n * 7 + year) % 23},{n}.5" for n, city in enumerate("abcdefgh") for year in (1, 2, 3)]


def _lay_out(folder: Path, *cells: str) -> Path:
    source = folder / "source"
    source.mkdir()
    (source / "sales.csv").write_text("city,year,sold,price\n" + "\n".join(_ROWS) + "\n")
    write_notebook(source / "sales.ipynb", "import pandas as pd\ndf = pd.read_csv('sales.csv')", *cells)
    return source


def test_columns_are_looked_up_in_a_kernel(tmp_path: Path) -> None:
    """Columns that a notebook picks by their place stand in the question by their names, once looked up by running."""
    source = _lay_out(
        tmp_path,
        "df[df.columns[2:4]].median()",
        "df.columns = [name.upper() for name in df.columns]\ndf[df.columns[df.dtypes == 'float64']].PRICE.median()",
    )
    built = build(source, tmp_path / "out", "prove.gates=false", "prove.runs=1", "curate.keep_trivial=true")
    questions = [task.question for task in built.tasks]
    assert any("column among `sold` and `price`" in question for question in questions)
    assert any("name the columns, in order, `CITY`, `YEAR`, `SOLD` and `PRICE`" in question for question in questions)


def test_question_says_no_more_than_its_program(tmp_path: Path) -> None:
    """Where a statement has no say in the answer, neither the program nor the question has it."""
    source = _lay_out(
        tmp_path,
        "df.sort_values(['sold', 'city'], inplace=True)\nfirst = df.drop_duplicates('city')\nfirst.shape",
    )
    built = build(source, tmp_path / "out", "prove.gates=false", "prove.runs=1", "curate.keep_trivial=true")
    (task,) = [task for task in built.tasks if "how many rows" in task.question or "number of rows" in task.question]
    assert task.oracle is not None
    assert "sort" not in task.question + "".join(task.oracle.cells)
    assert "equal in `city`" in task.question
