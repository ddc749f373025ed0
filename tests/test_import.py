"""Importing Cellwright loads nothing heavy: `cellwright --help` should answer at once."""

import subprocess
import sys

import pytest

HEAVY = (
    "IPython",
    "jupyter_client",
    "matplotlib",
    "nbformat",
    "numpy",
    "pandas",
    "pyarrow",
    "scipy",
    "sklearn",
    "torch",
)
ENTRANCES = [
    "cellwright",
    "cellwright.core.types",
    "cellwright.core.errors",
    "cellwright.samples",
    "cellwright.apps.cli",
]


@pytest.mark.parametrize("module", ENTRANCES)
def test_importing_loads_nothing_heavy(module: str) -> None:
    """A fresh interpreter that imports the module has none of the slow libraries loaded."""
    program = f"import sys, {module}; print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
