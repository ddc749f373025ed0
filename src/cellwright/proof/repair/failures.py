"""A statement that failed, and why it cannot be helped when it cannot."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cellwright.core.types import Output
from cellwright.proof.repair.cells import Statement, asks_shell, told_by_shell
from cellwright.proof.repair.widgets import is_import
from cellwright.proof.units import Unit

Cause = Literal[
    "package",
    "file",
    "network",
    "person",
    "as its author saw",
    "contradicted",
    "plot",
    "widget",
    "limit",
    "magic",
    "not Python 3",
    "unknown",
]
"""What was wanting. "contradicted": nothing but a guess, with which it shows what its author's file does not."""
ABSENT: frozenset[Cause] = frozenset(("package", "file", "network", "person"))
"""What no change of the code can give."""
HARMLESS: frozenset[Cause] = frozenset(("plot", "widget", "magic"))
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
    r"No module named '?(?:\w+'?(?![\w.'])|(?:google|mpl_toolkits|sphinxcontrib)\.)|`Import \w+` failed|"
    r"Missing optional dependency|is not installed|^ImportError: (?!cannot import name|\s*`\w+` has been removed)|"
    r"pip install|not found: \w+|ExecutableNotFound"
)
"""A package that is not there; not one that is there and has lost a module or a name."""
_PLOT = re.compile(
    r"^\s*(?:\w+\s*=\s*)?(?:plt|sns|ax(?:[sn]|es|is|arr)?_?\d*|fig(?:ure)?_?\d*|px|go|pylab|pyplot)\b[.\[]|"
    r"\.(?:plot|hist|boxplot)\b[.(]|\bplot_\w+\(|"
    r"^\s*g\.(?:map(?:_upper|_lower|_diag|_offdiag|_dataframe)?|set(?:_titles|_\w+labels)?|add_legend|fig|figure|ax|axes|"
    r"savefig|despine|refline)\b"
)
_NAME = re.compile(r"name '(\w+)' is not defined")
_NO_METHOD = re.compile(r"'(?:DataFrame|Series|\w*GroupBy|\w*Index)' object has no attribute '(\w+)'")
_EXTENDS_TABLES = re.compile(
    r"\bimport\s+(?:janitor|pandas_profiling|ydata_profiling|hvplot|cufflinks|swifter|pandarallel|pandas_ta|geopandas)\b"
    r"|\bfrom\s+(?:tqdm|pandarallel|pandas_profiling|ydata_profiling|plydata|dfply)\b|\bimport\s+hvplot\.pandas\b"
)
"""Packages that give methods of their own to pandas' tables."""
_ABOUT_A_PICTURE = re.compile(
    r"\w+(?:\.\w+|\[[^\]]*\])*\.(?:set_\w+|add_\w+|text|annotate|legend|grid|ax[hv]line|tick_params|suptitle|savefig|"
    r"tight_layout|remove|draw\w*|update\w*|show|set|despine|invert_\w+|autofmt_xdate)\("
)


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
    lost: tuple[str, ...] = ()
    """The statements that were lost before."""

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
        self._lost_in: dict[int, dict[str, tuple[int, Cause]]] = {}
        """Cell to the names that what was lost in it would have bound, each with how many statements stand before."""
        self._imported: set[str] = set()
        """Names of modules, and of what is in them: a statement that changes such a thing does not make it another."""
        self._extension: tuple[int, Cause] | None = None
        """The cell that should have imported a package for the methods that it gives to tables, and why it did not."""

    def begin(self, cell: int) -> None:
        """A round begins with the first cell, and has come to this one."""
        if cell == 0:
            self._wanting.clear()
        self._cell = cell
        self._wanting.update({name: cause for name, (_, cause) in self._lost_in.get(cell, {}).items()})

    def add(self, failure: Failure, units: Sequence[Unit], contradiction: str = "") -> Loss:
        """File a failure of some statements under its cause. `contradiction`: what speaks against all guesses that make
        them run."""
        inherited = None if contradiction else self._inherited(failure, units)
        cause = "contradicted" if contradiction else inherited or cause_of(failure)
        error = "; ".join(filter(None, (failure.text[:500], contradiction)))
        loss = Loss(failure.cell, failure.statement.source, error, cause, inherited is None)
        self.rows.append(loss)
        if cause in ABSENT and inherited is None and _EXTENDS_TABLES.search(failure.statement.source):
            self._extension = (failure.cell, cause)
        if cause != "as its author saw":
            lost = {name for unit in units for name in unit.defines | (unit.changes - self._imported)}
            self._lost_in.setdefault(failure.cell, {}).update(dict.fromkeys(lost, (failure.statement.index, cause)))
            self._wanting.update(dict.fromkeys(lost, cause))
        return loss

    def ran(self, units: Sequence[Unit]) -> None:
        """Statements that ran bind their names anew; what they made of something else than was meant, is not what was
        meant either."""
        for unit in units:
            cause = self._of(unit.uses)
            if unit.imports:
                self._imported |= unit.defines
            for name in unit.defines - unit.uses:
                place, _ = self._lost_in.get(self._cell, {}).get(name, (0, None))
                if unit.statement >= place:  # otherwise what was lost came later, as a loop that fills a list does
                    self._wanting.pop(name, None)
            if cause is not None and cause not in HARMLESS:
                self._wanting.update(dict.fromkeys(unit.defines | (unit.changes - self._imported), cause))

    def _of(self, names: Iterable[str]) -> Cause | None:
        """Why one of these names is wanting; of several reasons the one that says least for the notebook."""
        found = [self._wanting[name] for name in names if name in self._wanting]
        return max(found, key=lambda cause: (cause not in HARMLESS, cause not in ABSENT, cause), default=None)

    def _inherited(self, failure: Failure, units: Sequence[Unit]) -> Cause | None:
        """The cause of the loss that a failure comes from; None where it comes from none."""
        source = failure.statement.source
        if (found := _NAME.search(failure.message)) is not None and failure.error == "NameError":
            cause = self._wanting.get(found[1])
            if cause == "widget":  # to import controls computes nothing; what is made of them is wanting
                return "package"
            # Without a picture nothing can be done to it; what is worked out of one is lost for its own sake.
            return None if cause in HARMLESS and _ABOUT_A_PICTURE.match(source) is None else cause
        if failure.is_as_author_saw() or cause_of(failure) != "unknown":
            return None
        cause = self._of({name for unit in units for name in unit.uses | unit.changes})
        if cause is None or cause in HARMLESS:
            return self._of_extension(failure)
        return cause

    def _of_extension(self, failure: Failure) -> Cause | None:
        """Why a method of tables is not there that an extension of pandas would have given."""
        found = _NO_METHOD.search(failure.message)
        if self._extension is None or found is None or failure.error != "AttributeError":
            return None
        cell, cause = self._extension
        is_called = re.search(rf"\.{found[1]}\s*[.(]", failure.statement.source)
        return cause if failure.cell >= cell and is_called else None


def cause_of(failure: Failure) -> Cause:
    """Why a failure cannot be helped, from what it says of itself."""
    if failure.is_as_author_saw():
        return "as its author saw"
    if failure.error in ("Timeout", "Died", "MemoryError"):
        return "limit"
    if failure.error in ("StdinNotImplementedError", "EOFError"):
        return "person"
    if failure.error == "ModuleNotFoundError" and is_import(failure.statement.source):
        return "widget"
    if asks_shell(failure.statement.source) and not told_by_shell(failure.statement.source):
        return "magic"
    causes: Mapping[Cause, re.Pattern[str]] = {"network": _NETWORK, "package": _PACKAGE, "file": _FILE}
    for cause, pattern in causes.items():
        if pattern.search(failure.text):
            return cause
    if failure.statement.source.startswith(("%", "!")) and not failure.statement.source.startswith("%%"):
        return "magic"
    if failure.error in ("SyntaxError", "IndentationError", "TabError"):
        return "not Python 3"
    return "plot" if _PLOT.search(failure.statement.source) else "unknown"
