"""What became of every notebook: a row each, whether tasks came of it or not."""

from dataclasses import dataclass
from typing import Literal

from cellwright.core.types import MODERN


@dataclass(frozen=True)
class CodeChange:
    """One statement of a notebook that was repaired, or lost."""

    cell: int
    """Index among the code cells, from 0."""
    kind: Literal["repaired", "guessed", "lost"]
    """Guessed: the new form can give another value, and no output in the notebook's file speaks against it."""
    rule: str
    """Name of the repair; of what is lost, what was wanting, as `package` or `contradicted`."""
    before: str
    after: str
    """Empty for what is lost."""
    why: str
    """What the rule knows; of what is lost, its error, and what contradicts a guess."""


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
    changes: tuple[CodeChange, ...] = ()
    """The repairs, in the order in which they were made, and what was lost. Paths of tables are not among them."""
