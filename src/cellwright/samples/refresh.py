"""Run the sample notebooks and store their outputs in this folder: `python -m cellwright.samples.refresh`.

Needs the extras [data] and [dev]. A notebook that cannot be run (in R, or cut off) stays as it is. No source changes:
paths that exist on other machines only are replaced in the copy that is run.
"""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
from nbclient import NotebookClient

from cellwright.samples import NOTEBOOKS, TABLES, lay_out

# nbformat's functions carry no types.
_nbformat: Any = nbformat
_QUOTED_TABLE = re.compile(rf"""(["'])[^"'\n]*?\b({"|".join(map(re.escape, TABLES))})\1""", re.IGNORECASE)


def refresh() -> None:
    """Run every sample notebook that can be run and write its outputs back."""
    with TemporaryDirectory() as folder:
        for laid_out in lay_out(Path(folder)):
            _refresh(NOTEBOOKS / laid_out.relative_to(folder), laid_out, Path(folder) / "data")


def _refresh(stored: Path, laid_out: Path, data: Path) -> None:
    try:
        version: int = json.loads(stored.read_text(encoding="utf-8"))["nbformat"]
    except json.JSONDecodeError:
        return
    notebook = _nbformat.read(stored, as_version=4)
    if notebook.metadata.get("kernelspec", {}).get("language", "python") != "python":
        return
    sources = [cell.source for cell in notebook.cells]
    here = {name.lower(): str(data / name) for name in TABLES}
    for cell in notebook.cells:
        cell.source = _QUOTED_TABLE.sub(lambda found: found[1] + here[found[2].lower()] + found[1], cell.source)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        allow_errors=True,
        record_timing=False,
        resources={"metadata": {"path": str(laid_out.parent)}},
    )
    client.execute()
    for cell, source in zip(notebook.cells, sources, strict=True):
        cell.source = source
    _nbformat.write(_nbformat.convert(notebook, version), stored, version=version)


if __name__ == "__main__":
    refresh()
