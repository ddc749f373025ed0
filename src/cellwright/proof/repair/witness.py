"""What the author of a notebook saw, where that can be held against a guess that makes a statement run again.

One number that a guess shows and the author's file does not is enough. What this does not promise: that a guess is
right which shows nothing in its own cell.
"""

import math
import re
from collections.abc import Collection, Iterator, Sequence

from cellwright.core.types import Cell, Output
from cellwright.proof.agreement import tokens
from cellwright.proof.repair.cells import is_cell_magic

_REPRESENTATION = re.compile(r"<[^<>]*>")
_NUMPY_SCALAR = re.compile(r"\bnp\.(?:(True|False)_|\w+\(([^()]*)\))")
"""`np.True_` and `np.float64(1.5)`: as numpy 2 writes what earlier versions wrote as `True` and `1.5`."""
_NO_VALUE = re.compile(r"CPU times|Wall time|\bloops? each\b|^\[\d+ rows x \d+ columns\]$")
"""Lines about how long it took, or of how much a table shows: a wide one was folded or cut, by version."""
_NUMBER = re.compile(r"-?\d.*|-?inf")
_CLOSE = 1e-4
"""Of numbers: some versions print fewer digits than others."""

Seen = tuple[Output, ...]


def witnesses(cells: Sequence[Cell], drawn_from: int) -> list[Seen]:
    """Of each code cell, the stored outputs that a repaired run should show again; none where it need not.

    `drawn_from`: the first cell that draws random numbers without a seed; what it and later ones showed is gone for
    good. Beside a picture stands what the plotting call gave, which is about the picture.
    """
    return [
        cell.outputs if index < drawn_from and not _shows_picture(cell) and not is_cell_magic(cell.source) else ()
        for index, cell in enumerate(cells)
    ]


def _shows_picture(cell: Cell) -> bool:
    return any(media.startswith("image/") for output in cell.outputs for media in output.data)


def contradiction(stored: Sequence[Output], shown: Sequence[Output]) -> str:
    """What some statements of a cell show, and the stored outputs of the whole cell do not; empty for nothing.

    Numbers are looked at, or words where no number is shown. How tables and objects are written is not.
    """
    seen, now = set(_tokens(stored)), list(_tokens(shown))
    numbers = [token for token in now if _NUMBER.fullmatch(token)]
    missing = (token for token in numbers or now if token not in seen and not _has_close(token, seen))
    other = next(missing, None) if seen else None
    return f"{other} is shown, which the author's file does not show" if other is not None else ""


def _tokens(outputs: Sequence[Output]) -> Iterator[str]:
    for output in outputs:
        text = output.text if output.kind == "stream" else output.data.get("text/plain", "")
        if output.kind != "error" and output.name != "stderr":
            kept = "\n".join(line for line in text.splitlines() if not _NO_VALUE.search(line))
            plain = _NUMPY_SCALAR.sub(r"\1\2", kept)
            yield from tokens(_REPRESENTATION.sub(" ", plain))


def _has_close(token: str, seen: Collection[str]) -> bool:
    if not _NUMBER.fullmatch(token):
        return False
    return any(math.isclose(float(token), float(other), rel_tol=_CLOSE) for other in seen if _NUMBER.fullmatch(other))
