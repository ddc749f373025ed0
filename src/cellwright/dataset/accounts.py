"""What became of every notebook: a row each, whether tasks came of it or not."""

from dataclasses import dataclass

from cellwright.core.types import MODERN


@dataclass(frozen=True)
class NotebookAccount:
    """One row of notebooks.parquet."""

    path: str
    source: str
    outcome: str
    """`tasks`, or the stage at which the last of it was rejected."""
    reason: str
    """Why no task came of it: the reject's reason, or the most frequent one where it was rejected in parts."""
    tasks: int
    outputs: int
    """Outputs for which a program was found."""
    cells: int
    """Code cells; 0 where it was not run."""
    cells_ok: int
    cells_same: int
    """Cells whose outputs were those stored in the file, as text or as values."""
    cells_different: int
    """Cells whose outputs differ from those stored."""
    repairs: int = 0
    """Changes that made its code run again, or that took out what cannot."""
    statements_lost: int = 0
    """Statements that could not be made to run."""
    era: str = MODERN
    """The environment in which it fared best."""
    author: str | None = None
    licence: str | None = None
