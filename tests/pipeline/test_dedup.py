"""Which notebooks say the same of the same tables."""

from pathlib import Path

from cellwright.core.types import Notebook, Reject
from cellwright.pipeline.dedup import dedup
from cellwright.pipeline.read import read
from cellwright.pipeline.stage import Folder, write_stream
from tests.writing import write_notebook

CODE = "import pandas as pd\npd.read_csv('data.csv').x.sum()"


def stays(tmp_path: Path, data: dict[str, str]) -> tuple[list[str], list[str]]:
    """Paths of the notebooks that stay and of those that go, of one in each folder beside these data."""
    root = tmp_path / "root"
    for name, text in data.items():
        write_notebook(root / name / "report.ipynb", CODE)
        (root / name / "data.csv").write_text(text)
    folder = Folder(tmp_path / "read", Notebook)
    folder.prepare("")
    write_stream(read([root]), folder)
    found = list(dedup(folder, [root]))
    kept = [one.provenance.path for one in found if isinstance(one, Notebook)]
    return sorted(kept), [one.notebook for one in found if isinstance(one, Reject)]


def test_notebooks_of_the_same_words_over_other_data_are_two(tmp_path: Path) -> None:
    """A report of each year over that year's table is no copy of another year's."""
    kept, gone = stays(tmp_path, {"2019": "x\n1\n", "2020": "x\n2\n"})
    assert (kept, gone) == (["2019/report.ipynb", "2020/report.ipynb"], [])


def test_notebooks_of_the_same_words_over_copies_of_one_table_are_one(tmp_path: Path) -> None:
    """A folder that was copied whole gives nothing new."""
    kept, gone = stays(tmp_path, {"a": "x\n1\n", "copy-of-a": "x\n1\n"})
    assert (kept, gone) == (["a/report.ipynb"], ["copy-of-a/report.ipynb"])
