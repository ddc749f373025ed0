"""Notebook files for tests, written as Jupyter writes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def notebook(*sources: str, markdown: Sequence[str] = (), **metadata: Any) -> dict[str, Any]:
    """An nbformat 4 notebook with these code cells, after these markdown cells."""
    cells: list[dict[str, Any]] = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in markdown]
    cells += [
        {"cell_type": "code", "metadata": {}, "source": text, "outputs": [], "execution_count": None}
        for text in sources
    ]
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def write_notebook(path: Path, *sources: str, **metadata: Any) -> Path:
    """Write a notebook with these code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(*sources, **metadata)))
    return path
