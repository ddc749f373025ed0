"""A code cell as the statements that its author wrote, with their places, so that one can be changed and no other.

Lines that only IPython reads are kept: a stand-in of one line takes the place of each while the cell is parsed.
"""

import ast
import copy
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_MAGIC = re.compile(
    r"^(?P<indent>\s*)(?P<target>[\w., ]+?\s*=\s*)?(?P<magic>[%!](?!=).*|\?{1,2}[\w.*]+.*|[\w.*]+\?{1,2}\s*)$"
)
_FOR_SHELL = re.compile(r"\s*%%(?:bash|sh|script|system|sx|!|cmd)(?![\w-])(?P<options>[^\n]*)")
_TOLD = re.compile(r"--(?:out|err|proc)[ =](\w+)")
_STAND_IN = "__cellwright_line_{}__"
_STOOD_IN = re.compile(r"__cellwright_line_(\d+)__")


@dataclass(frozen=True)
class Statement:
    """One top-level statement."""

    index: int
    start: int
    """Offset of its first character in the cell."""
    end: int
    first_line: int
    """Counted from 1."""
    last_line: int
    source: str

    def holds(self, line: int) -> bool:
        """Whether the line is one of its own."""
        return self.first_line <= line <= self.last_line


def statements(source: str) -> list[Statement] | None:
    """The statements of a cell; None when it is not Python 3. A cell of a cell magic is one statement."""
    if is_cell_magic(source):
        return [Statement(0, 0, len(source), 1, source.count("\n") + 1, source)]
    text = _hidden(source)
    module = parse(text)
    if module is None:
        return None
    starts = _line_starts(text)
    shown = _line_starts(source)
    found = []
    for index, node in enumerate(module.body):
        lead = getattr(node, "decorator_list", [])
        first = min([node.lineno, *(d.lineno for d in lead)])
        column = 0 if lead else _column(text, starts, node.lineno, node.col_offset)
        start = shown[first - 1] + column
        last = node.end_lineno or first
        # A line that was stood in for has another length: its statement goes to the end of the line.
        if _STOOD_IN.search(text[starts[last - 1] : starts[last]]):
            end = shown[last] - (1 if source[shown[last] - 1 : shown[last]] == "\n" else 0)
        else:
            end = shown[last - 1] + _column(text, starts, last, node.end_col_offset or 0)
        found.append(Statement(index, start, end, first, last, source[start:end]))
    return found


def is_cell_magic(source: str) -> bool:
    """Whether the cell is handed whole to a cell magic."""
    return source.lstrip().startswith("%%")


def measures_cell(source: str) -> bool:
    """Whether the cell's magic runs the rest of the cell as Python, and measures it or keeps what it shows."""
    return re.match(r"\s*%%(?:time|timeit|capture|prun|memit|mprun)\b", source) is not None


def hides_errors(source: str) -> bool:
    """Whether the cell's magic keeps errors to itself, so that a cell that fails seems to run."""
    return re.match(r"\s*%%capture\b", source) is not None


def asks_shell(source: str) -> bool:
    """Whether the cell is handed to a shell."""
    return _FOR_SHELL.match(source) is not None


def told_by_shell(source: str) -> frozenset[str]:
    """The names that hold what a cell for the shell said, or how it ended."""
    found = _FOR_SHELL.match(source)
    return frozenset(_TOLD.findall(found["options"])) if found is not None else frozenset()


def captured_name(source: str) -> str:
    """The name under which a cell's %%capture keeps what was shown; empty for none."""
    words = source.lstrip().partition("\n")[0].split()[1:]
    return next((word for word in words if word.isidentifier()), "")


def parse(text: str) -> ast.Module | None:
    """The syntax tree of plain Python; None for anything else, too deep or not Unicode text included."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def rest_after(source: str, statement: Statement) -> str:
    """What comes after a statement, on the lines where it stood, so that a traceback's line numbers stay true."""
    done, rest = source[: statement.end], source[statement.end :]
    return "\n" * done.count("\n") + rest.lstrip(" \t;")


def replaced(source: str, statement: Statement, text: str) -> str:
    """The cell with another text in the place of one statement."""
    return source[: statement.start] + text + source[statement.end :]


def dropped(source: str, statement: Statement, why: str) -> str:
    """The cell with a statement turned into a comment that says why."""
    line_start = source.rfind("\n", 0, statement.start) + 1
    line_end = source.find("\n", statement.end)
    line_end = len(source) if line_end < 0 else line_end
    before, after = source[line_start : statement.start], source[statement.end : line_end]
    if before.strip() or (after.strip(" \t;\r") and not after.lstrip(" \t;").startswith("#")):
        return replaced(source, statement, "pass")
    lines = source[line_start:line_end].split("\n")
    text = "\n".join([f"# Dropped: {' '.join(why.split())}", *(f"# {line}".rstrip() for line in lines)])
    return source[:line_start] + text + source[line_end:]


def one_name_each(source: str) -> str | None:
    """An import of several names as one statement for each; None for anything else."""
    tree = parse(source)
    node = tree.body[0] if tree is not None and len(tree.body) == 1 else None
    if not isinstance(node, (ast.Import, ast.ImportFrom)) or len(node.names) < 2:
        return None
    alone = [copy.copy(node) for _ in node.names]
    for statement, name in zip(alone, node.names, strict=True):
        statement.names = [name]
    return "\n".join(ast.unparse(statement) for statement in alone)


def hide_magics(statement: str) -> tuple[str, list[str]]:
    """A statement with a name in the place of each line that only IPython reads, and those lines."""
    kept: list[str] = []
    return "\n".join(_hide(line, kept) for line in statement.split("\n")), kept


def show_magics(statement: str, kept: list[str]) -> str:
    """The contrary of `hide_magics`."""
    return _STOOD_IN.sub(lambda found: kept[int(found[1])], statement)


def _hidden(source: str) -> str:
    """The cell with stand-ins; lines that stand inside a text or an open bracket are left alone."""
    if parse(source) is not None:
        return source
    return hide_magics(source)[0]


def _hide(line: str, kept: list[str]) -> str:
    found = _MAGIC.match(line)
    if found is None:
        return line
    kept.append(found["magic"])
    return f"{found['indent']}{found['target'] or ''}{_STAND_IN.format(len(kept) - 1)}"


def _line_starts(text: str) -> list[int]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    starts[-1] = len(text)
    return starts


def _column(text: str, starts: list[int], line: int, column: int) -> int:
    """A column in characters: the syntax tree counts bytes of UTF-8."""
    data = text[starts[line - 1] : starts[line]].encode("utf-8", "surrogatepass")
    return len(data[:column].decode("utf-8", "surrogatepass"))


def walk_depth(tree: ast.AST) -> int:
    """How deep a syntax tree goes."""
    deepest, pending = 0, [(tree, 1)]
    while pending:
        node, depth = pending.pop()
        deepest = max(deepest, depth)
        pending.extend((child, depth + 1) for child in ast.iter_child_nodes(node))
    return deepest


def names_in(sources: Iterator[str]) -> set[str]:
    """Every name that the sources read or bind."""
    found: set[str] = set()
    for source in sources:
        tree = parse(_hidden(source))
        found |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)} if tree else set()
    return found
