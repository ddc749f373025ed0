"""The files that ship for training, by their names: recipes, settings of accelerate, a Slurm script."""

import difflib
from importlib.resources import files
from pathlib import Path

from cellwright.core.errors import UsageError

_FOLDERS = ("recipes", "clusters")


def shipped_files() -> list[Path]:
    """Recipes first."""
    roots = [Path(str(files(__package__) / folder)) for folder in _FOLDERS]
    return [path for root in roots for path in sorted(root.iterdir()) if path.suffix in {".yaml", ".sh"}]


def find_file(name: str) -> Path:
    """Where a file stands. Raises UsageError with the nearest name."""
    names = {path.name: path for path in shipped_files()}
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
        raise UsageError(f"there is no file {name!r}" + (f"; did you mean {near[0]}?" if near else ""))
    return names[name]
