"""Twelve small notebooks that ship with Cellwright, for `cellwright demo` and for trying things out.

Their tables are not in this repository: scikit-learn and statsmodels carry them in their own packages, and `lay_out`
copies them from there. The notebooks name them as people do: a path beside the notebook, on Kaggle, on Colab, on
somebody's Windows desktop, a URL, another case of the name. Ten of the twelve are Python notebooks, one of them a copy
of another and one in nbformat 3; one is in R and one was cut off while it was downloaded.

`python -m cellwright.samples.refresh` runs them and stores their outputs anew.
"""

import shutil
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from cellwright.core.errors import MissingExtra, SourceError

NOTEBOOKS = Path(__file__).parent / "notebooks"

TABLES: Mapping[str, tuple[str, str]] = {
    "E6.csv": ("statsmodels", "datasets/interest_inflation/E6.csv"),
    "copper.csv": ("statsmodels", "datasets/copper/copper.csv"),
    "cpunish.csv": ("statsmodels", "datasets/cpunish/cpunish.csv"),
    "elnino.csv": ("statsmodels", "datasets/elnino/elnino.csv"),
    "fair.csv": ("statsmodels", "datasets/fair/fair.csv"),
    "fertility.csv": ("statsmodels", "datasets/fertility/fertility.csv"),
    "grunfeld.csv": ("statsmodels", "datasets/grunfeld/grunfeld.csv"),
    "iris.csv": ("sklearn", "datasets/data/iris.csv"),
    "longley.csv": ("statsmodels", "datasets/longley/longley.csv"),
    "macrodata.csv": ("statsmodels", "datasets/macrodata/macrodata.csv"),
    "nile.csv": ("statsmodels", "datasets/nile/nile.csv"),
    "randhie.csv": ("statsmodels", "datasets/randhie/randhie.csv"),
    "statecrime.csv": ("statsmodels", "datasets/statecrime/statecrime.csv"),
    "sunspots.csv": ("statsmodels", "datasets/sunspots/sunspots.csv"),
    "wine_data.csv": ("sklearn", "datasets/data/wine_data.csv"),
}
"""Name of each table under `data/`, with the package that carries it and the path in there."""


def lay_out(folder: Path) -> list[Path]:
    """Write the notebooks into `folder` and their tables into its `data/`; give the paths of the notebooks.

    Raises MissingExtra when scikit-learn or statsmodels is not installed, SourceError when one of them no longer
    carries a table. Nothing is written in either case.
    """
    tables = {name: _installed(package, path) for name, (package, path) in TABLES.items()}
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        shutil.copyfile(table, folder / "data" / name)
    written = []
    for notebook in sorted(NOTEBOOKS.rglob("*.ipynb")):
        target = folder / notebook.relative_to(NOTEBOOKS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(notebook, target)
        written.append(target)
    return written


def _installed(package: str, path: str) -> Path:
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise MissingExtra("data", f"laying out the sample tables from {package}")
    file = Path(spec.submodule_search_locations[0]) / path
    if not file.is_file():
        raise SourceError(f"The installed {package} has no {path}: install the version that constraints.txt names.")
    return file
