"""Cells of Python 2 as Python 3, by fissix: lib2to3, kept alive after it left the standard library."""

import logging
import re
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from fissix import refactor

from cellwright.core.types import Notebook
from cellwright.proof.repair.cells import hide_magics, measures_cell, parse, show_magics, statements
from cellwright.proof.repair.division import floored

# Those that change meaning where Python 3 is already meant (map, zip, dict views, division) are left to rules, which
# apply only when a statement fails.
_FIXES = (
    "except",
    "exec",
    "ne",
    "numliterals",
    "paren",
    "print",
    "raise",
    "repr",
    "tuple_params",
    "has_key",
    "backquote",
)
PYTHON2 = "the notebook was written for Python 2"
_MAX_CHARS, _MAX_NESTING = 50_000, 40


@lru_cache(maxsize=256)
def as_python3(source: str) -> str | None:
    """The cell with Python 2's statements rewritten; None where that does not make it Python 3."""
    text, magics = hide_magics(source.expandtabs(8))
    if len(text) > _MAX_CHARS or _nesting(text) > _MAX_NESTING:
        return None
    for tool in _tools():
        try:
            changed = str(tool.refactor_string(text + "\n", "cell")).removesuffix("\n")
        except Exception:  # noqa: BLE001 - a parser of another language, on text that may be neither: any error is a no
            continue
        if parse(changed) is not None:
            shown = show_magics(changed, magics)
            return shown if statements(shown) is not None else None
    return None


def modernised(notebook: Notebook) -> Notebook:
    """The notebook with its cells of Python 2 rewritten, so that the paths in them can be found."""
    sources = [cell.source for cell in notebook.code_cells]
    modern = [_modern(source) for source in sources]
    rewritten = iter(floored(modern) if modern != sources else sources)
    cells = (replace(cell, source=next(rewritten)) if cell.kind == "code" else cell for cell in notebook.cells)
    return replace(notebook, cells=tuple(cells))


def _modern(source: str) -> str:
    head, line_end, body = source.partition("\n") if measures_cell(source) else ("", "", source)
    return head + line_end + (as_python3(body) or body if statements(body) is None else body)


def _nesting(text: str) -> int:
    depth = deepest = 0
    for bracket in re.findall(r"[()\[\]{}]", text):
        depth += 1 if bracket in "([{" else -1
        deepest = max(deepest, depth)
    return deepest


@cache
def _tools() -> tuple[Any, ...]:
    """Fixers for a cell with print statements, and for one that calls print as a function."""
    logging.getLogger("fissix").setLevel(logging.ERROR)
    available = set(refactor.get_fixers_from_package("fissix.fixes"))
    names = [f"fissix.fixes.fix_{name}" for name in _FIXES if f"fissix.fixes.fix_{name}" in available]
    return (refactor.RefactoringTool(names), refactor.RefactoringTool(names, {"print_function": True}))
