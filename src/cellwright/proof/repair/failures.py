"""A statement that failed, and why it cannot be helped when it cannot."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cellwright.core.types import Output
from cellwright.proof.repair.cells import Statement
from cellwright.proof.units import Unit, parse_cell

Cause = Literal[
    "package",
    "file",
    "network",
    "person",
    "as its author saw",
    "contradicted",
    "plot",
    "limit",
    "magic",
    "not Python 3",
    "unknown",
]
"""What was wanting. "contradicted": nothing but a guess, with which it shows what its author's file does not."""
ABSENT: frozenset[Cause] = frozenset(("package", "file", "network", "person"))
"""What no change of the code can give."""
HARMLESS: frozenset[Cause] = frozenset(("plot", "magic"))
"""What computes nothing: a cell that lost no more than that has all its values."""

_NETWORK = re.compile(
    r"URLError|HTTPError|ConnectionError|ConnectTimeout|ConnectionRefused|gaierror|SSLError|ProxyError|RemoteDisconnected|"
    r"name resolution|Network is unreachable|Max retries exceeded|Name or service not known|Failed to download"
)
_FILE = re.compile(
    r"FileNotFoundError|NotADirectoryError|IsADirectoryError|PermissionError|No such file|does not exist|"
    r"not found in archive|non-existent directory|unable to open (?:database )?file|no such table"
)
_PACKAGE = re.compile(
    r"ModuleNotFoundError|No module named|`Import \w+` failed|Missing optional dependency|is not installed|"
    r"cannot import name|ImportError|pip install|not found: \w+|ExecutableNotFound"
)
_PLOT = re.compile(
    r"^\s*(?:\w+\s*=\s*)?(?:plt|sns|ax\w*|fig\w*|g|px|go|pylab|pyplot)\b[.\[]|\.(?:plot|hist|boxplot)\b[.(]|\bplot_\w+\("
)
_NAME = re.compile(r"name '(\w+)' is not defined")
_NO_METHOD = re.compile(r"'(DataFrame|Series|\w*GroupBy|\w*Index)' object has no attribute")


class Site(NamedTuple):
    """A statement on the way to an exception."""

    cell: int
    statement: Statement
    line: int
    """Line of the cell that ran when the exception came; the first of the statement where that is not known."""


@dataclass(frozen=True)
class Failure:
    """A statement that failed."""

    error: str
    """Name of the exception; "Timeout" or "Died" where there was none."""
    message: str
    cell: int
    statement: Statement
    sites: tuple[Site, ...]
    """The notebook's statements through which the exception came, innermost first; the failed one is the last."""
    sources: tuple[str, ...]
    """All code cells as they are now."""
    outputs: tuple[Output, ...] = ()
    """What the notebook's file holds as outputs of the cell."""

    @property
    def text(self) -> str:
        """Name and message."""
        return f"{self.error}: {self.message}"

    def is_as_author_saw(self) -> bool:
        """Whether the cell failed in this way when its author ran it: then there is nothing to repair."""
        return any(output.kind == "error" and output.name == self.error for output in self.outputs)


@dataclass(frozen=True)
class Loss:
    """A statement that could not be made to run."""

    cell: int
    source: str
    error: str
    """Name and message; then what contradicts the guess that would mend it."""
    cause: Cause
    """What was wanting: of this statement, or of the one that it depends on."""
    is_direct: bool
    """Whether it failed for its own sake, not for what an earlier one would have given."""


class Losses:
    """The statements lost so far, and the names that are not what they would have been.

    A notebook is mended in rounds. What an earlier round lost is a comment in the next one, and nobody meets it there:
    `begin` tells at which cell a round is, so that the names that were lost in it are wanting again.
    """

    def __init__(self) -> None:
        self.rows: list[Loss] = []
        self._cell = 0
        self._wanting: dict[str, Cause] = {}
        self._lost_in: dict[int, dict[str, Cause]] = {}
        """Cell to the names that what was lost in it would have bound."""
        self._pulled: Cause | None = None
        """What was wanting of an import that only gives methods to others, such as `import janitor`."""

    def begin(self, cell: int) -> None:
        """A round begins with the first cell, and has come to this one."""
        if cell == 0:
            self._wanting.clear()
        self._cell = cell
        self._wanting.update(self._lost_in.get(cell, {}))

    def add(self, failure: Failure, units: Sequence[Unit], contradiction: str = "") -> Loss:
        """File a failure of some statements under its cause. `contradiction`: what speaks against all guesses that make
        them run."""
        inherited = None if contradiction else self._inherited(failure, units)
        cause = "contradicted" if contradiction else inherited or cause_of(failure)
        error = "; ".join(filter(None, (failure.text[:500], contradiction)))
        loss = Loss(failure.cell, failure.statement.source, error, cause, inherited is None)
        self.rows.append(loss)
        if cause in ABSENT and _is_for_effect(units, failure.sources):
            self._pulled = cause
        if cause != "as its author saw":
            for name in {name for unit in units for name in unit.defines | unit.changes}:
                self._lost_in.setdefault(failure.cell, {})[name] = cause
                self._wanting[name] = cause
        return loss

    def ran(self, units: Sequence[Unit]) -> None:
        """Statements that ran bind their names anew; what they made of something else than was meant, is not what was
        meant either."""
        for unit in units:
            cause = self._of(unit.uses)
            # What was lost stood after what binds a name first, as a loop that fills a list does.
            for name in unit.defines - unit.uses - self._lost_in.get(self._cell, {}).keys():
                self._wanting.pop(name, None)
            if cause is not None and cause not in HARMLESS:
                self._wanting.update(dict.fromkeys(unit.defines | unit.changes, cause))

    def _of(self, names: Iterable[str]) -> Cause | None:
        return next((self._wanting[name] for name in sorted(names) if name in self._wanting), None)

    def _inherited(self, failure: Failure, units: Sequence[Unit]) -> Cause | None:
        """The cause of the loss that a failure comes from; None where it comes from none."""
        if (found := _NAME.search(failure.message)) is not None and failure.error == "NameError":
            cause = self._wanting.get(found[1])
            # Without a picture nothing can be done to it; what is worked out of one is lost for its own sake.
            is_about = failure.statement.source.startswith((f"{found[1]}.", f"{found[1]}["))
            return None if cause in HARMLESS and not is_about else cause
        if failure.is_as_author_saw() or cause_of(failure) != "unknown":
            return None
        cause = self._of({name for unit in units for name in unit.uses | unit.changes})
        if cause is None and failure.error == "AttributeError" and _NO_METHOD.search(failure.message):
            return self._pulled
        return None if cause in HARMLESS else cause


def _is_for_effect(units: Sequence[Unit], sources: Sequence[str]) -> bool:
    """Whether it is an import of names that the notebook never uses."""
    if not units or not all(unit.imports for unit in units):
        return False
    names = {name for unit in units for name in unit.defines}
    parsed = (parse_cell(number, source) for number, source in enumerate(sources))
    return not any(names & unit.uses for cell in parsed if cell is not None for unit in cell.units)


def cause_of(failure: Failure) -> Cause:
    """Why a failure cannot be helped, from what it says of itself."""
    if failure.is_as_author_saw():
        return "as its author saw"
    if failure.error in ("Timeout", "Died", "MemoryError"):
        return "limit"
    if failure.error in ("StdinNotImplementedError", "EOFError"):
        return "person"
    causes: Mapping[Cause, re.Pattern[str]] = {"network": _NETWORK, "package": _PACKAGE, "file": _FILE}
    for cause, pattern in causes.items():
        if pattern.search(failure.text):
            return cause
    if failure.statement.source.startswith(("%", "!")) and not failure.statement.source.startswith("%%"):
        return "magic"
    if failure.error in ("SyntaxError", "IndentationError", "TabError"):
        return "not Python 3"
    return "plot" if _PLOT.search(failure.statement.source) else "unknown"
