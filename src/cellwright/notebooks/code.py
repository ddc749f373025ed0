"""A code cell as Python whose positions are those of the cell: IPython's own lines are blanked, nothing is moved."""

import ast
import re
import warnings

# Cell magics whose body is run as Python in the notebook's own namespace.
_TRANSPARENT = re.compile(r"\s*%%(time|timeit|capture|prun|memit|mprun)\b")
_LINE = re.compile(r"^(?P<indent>\s*)(?:[%!?]|[\w.]+\s*=\s*[%!]|[\w.*]+\?{1,2}\s*$|[\w.]+\?{1,2}$)")


def parse(source: str) -> ast.Module | None:
    """The syntax tree of a cell; None when it is not Python, or in another cell magic's language."""
    for text in (source, blanked(source)):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def blanked(source: str) -> str:
    """The cell with `pass` in the place of every line that only IPython reads."""
    lines = source.split("\n")
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if lines and lines[first].lstrip().startswith("%%"):
        if not _TRANSPARENT.match(lines[first]):
            return ""
        lines[first] = ""
    return "\n".join(_blanked_line(line) for line in lines)


def _blanked_line(line: str) -> str:
    found = _LINE.match(line)
    return f"{found['indent']}pass" if found else line
