"""The sample notebooks: they lay out with their tables, and what they store is what a run gives."""

import json
from pathlib import Path
from typing import Any

import nbformat
import pytest

from cellwright import samples
from cellwright.core.errors import MissingExtra, SourceError

pytest.importorskip("sklearn", reason="the samples' tables come with the extra [data]")
pytest.importorskip("statsmodels", reason="the samples' tables come with the extra [data]")

# nbformat's functions carry no types.
reader: Any = nbformat

NOT_PYTHON = {"half-a-download.ipynb", "longley-in-r.ipynb"}
STORED = [path for path in sorted(samples.NOTEBOOKS.rglob("*.ipynb")) if path.name not in NOT_PYTHON]


def test_notebooks_and_tables_are_laid_out(tmp_path: Path) -> None:
    """Every notebook is written, and every table stands in data/."""
    written = samples.lay_out(tmp_path)
    assert len(written) == 12
    assert written == sorted(tmp_path.rglob("*.ipynb"))
    assert {path.name for path in (tmp_path / "data").iterdir()} == samples.TABLES.keys()
    assert all(path.stat().st_size > 100 for path in (tmp_path / "data").iterdir())


def test_laying_out_twice_is_no_error(tmp_path: Path) -> None:
    """A second demo into the same folder overwrites the first."""
    assert samples.lay_out(tmp_path) == samples.lay_out(tmp_path)


def test_a_missing_package_names_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages that carry the tables, the error names the extra and nothing is written."""
    monkeypatch.setattr(samples, "TABLES", {"x.csv": ("a_package_that_is_not_there", "x.csv")})
    with pytest.raises(MissingExtra, match=r"cellwright\[data\]"):
        samples.lay_out(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_went_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of the package without the table is named, and nothing is written."""
    monkeypatch.setattr(samples, "TABLES", {"x.csv": ("sklearn", "datasets/data/x.csv")})
    with pytest.raises(SourceError, match=r"sklearn has no datasets/data/x\.csv"):
        samples.lay_out(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.stem)
def test_stored_notebooks_are_valid_and_were_run(path: Path) -> None:
    """Each Python sample is a valid notebook whose code cells have run, in order, and name no machine."""
    notebook = reader.read(path, as_version=nbformat.NO_CONVERT)
    reader.validate(notebook)
    cells = reader.convert(notebook, 4).cells
    counts = [cell.execution_count for cell in cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert not any(trace in path.read_text(encoding="utf-8") for trace in ("ipykernel_", "site-packages", "/home/"))


def test_the_copy_differs_in_its_outputs_only() -> None:
    """One sample is another saved again: the same sources, other outputs."""
    first, copy = (reader.read(samples.NOTEBOOKS / f"iris-first-look{end}.ipynb", 4) for end in ("", "-Copy1"))
    assert [cell.source for cell in first.cells] == [cell.source for cell in copy.cells]
    assert [cell.get("outputs") for cell in first.cells] != [cell.get("outputs") for cell in copy.cells]


def test_two_samples_are_broken_on_purpose() -> None:
    """One is cut off and one is in R: a build shows how it rejects them."""
    with pytest.raises(json.JSONDecodeError):
        json.loads((samples.NOTEBOOKS / "half-a-download.ipynb").read_text(encoding="utf-8"))
    assert reader.read(samples.NOTEBOOKS / "longley-in-r.ipynb", 4).metadata.kernelspec.language == "R"


def test_one_sample_is_in_the_old_format() -> None:
    """nbformat 3 has worksheets, prompts and pyout; the reader must take it."""
    notebook = json.loads(
        (samples.NOTEBOOKS / "statistics-club" / "three-long-series.ipynb").read_text(encoding="utf-8")
    )
    assert (notebook["nbformat"], "worksheets" in notebook) == (3, True)
