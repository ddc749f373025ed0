"""Who proposes changes for a statement that failed. None is believed: `session.py` runs what they propose."""

import ast
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import libcst as cst

from cellwright.proof.repair.cells import Statement, measures_cell, names_in, parse, show_magics, statements
from cellwright.proof.repair.failures import Failure, Site
from cellwright.proof.repair.patterns import parsed
from cellwright.proof.repair.python2 import as_python3
from cellwright.proof.repair.rules import moved_attributes, moved_imports, table
from cellwright.proof.repair.widgets import controls, first_call

_MOST_TEXTS = 12
_MOST_GIVERS = 6
_ELSEWHERE = "the module or name stands elsewhere now"
_SAVES = re.compile(r"No such file or directory: '(?P<path>[^']+)'|non-existent directory: '(?P<folder>[^']+)'")
_WRITES = re.compile(
    r"savefig|to_csv|to_excel|to_json|to_pickle|to_parquet|to_hdf|dump|np\.save|, *'[wax]b?\+?'|mode='[wa]|imsave|write"
)
_PARAMETERS = {"base_estimator": "estimator"}
"""Names of parameters of scikit-learn's estimators, and those that they have now."""
_PARAMETER = re.compile(r"Invalid parameter '?(\w+)'? for estimator")


@dataclass(frozen=True)
class Proposal:
    """Another text for one statement."""

    rule: str
    why: str
    cell: int
    statement: Statement
    text: str
    may_be_part: bool = True
    """Whether it is kept on trial when the statement then fails in another way."""
    is_guess: bool = False
    """Whether it can run and yet give another value than its author saw."""


class Proposer(Protocol):
    """Proposes other texts for a statement that failed, or for one that it called, the likeliest first."""

    def propose(self, failure: Failure) -> AsyncIterator[Proposal]:
        """What might help. Proposes nothing where it knows nothing."""
        ...


class RuleProposer:
    """The table of rules, and what rules cannot say: imports, old Python, magics, folders, input, controls."""

    async def propose(self, failure: Failure) -> AsyncIterator[Proposal]:
        for proposal in _all(failure):
            yield proposal


def _all(failure: Failure) -> Iterator[Proposal]:
    for make in (
        _imports,
        _rules,
        _moved,
        _cell_magic,
        _magic,
        _folder,
        _input,
        _widget,
        _parameter,
        _keys_of_groups,
        _earlier_rules,
        _usual_import,
        _inner_plot,
    ):
        yield from make(failure)


def _proposal(rule: str, why: str, site: Site, text: str, *, is_guess: bool = False) -> Proposal:
    return Proposal(rule, why, site.cell, site.statement, text, is_guess=is_guess)


def _rules(failure: Failure) -> Iterator[Proposal]:
    for site in failure.sites:
        for rule in table().rules:
            texts = rule.texts(site.statement.source, failure.error, failure.message)
            for text, _ in zip(texts, range(_MOST_TEXTS), strict=False):
                yield _proposal(rule.name, rule.reason, site, text, is_guess=rule.guess)


def _imports(failure: Failure) -> Iterator[Proposal]:
    if failure.error not in ("ModuleNotFoundError", "ImportError", "AttributeError"):
        return
    for site in failure.sites:
        text = moved_imports(site.statement.source, table().moved)
        if text is not None:
            yield _proposal("moved-import", _ELSEWHERE, site, text, is_guess=_is_guess(failure.message))


def _is_guess(message: str) -> bool:
    return any(row.guess and row.old.rpartition(".")[2] in message for row in table().moved)


def _moved(failure: Failure) -> Iterator[Proposal]:
    """What a module is asked for, where that stands now; under whatever name the notebook knows the module."""
    if failure.error != "AttributeError" or not re.match(r"[Mm]odule |`", failure.message):
        return
    modules = _modules(failure.sources)
    for site in failure.sites:
        text = moved_attributes(site.statement.source, table().moved, modules)
        if text is not None:
            yield _proposal("moved-name", _ELSEWHERE, site, text, is_guess=_is_guess(failure.message))


def _modules(sources: Sequence[str]) -> dict[str, str]:
    """What the names stand for that the cells import."""
    found: dict[str, str] = {}
    for source in sources:
        for statement in statements(source) or []:
            tree = parse(statement.source)
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Import):
                    found.update({name.asname: name.name for name in node.names if name.asname})
                    found.update({(top := name.name.partition(".")[0]): top for name in node.names if not name.asname})
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    found.update({name.asname or name.name: f"{node.module}.{name.name}" for name in node.names})
    return found


def _earlier_rules(failure: Failure) -> Iterator[Proposal]:
    """Rules of forms that fail not where they stand but where what they gave is used: for what gave it."""
    rules = [rule for rule in table().rules if rule.earlier]
    for site, _ in zip(_givers(failure), range(_MOST_GIVERS), strict=False):
        for rule in rules:
            for text in rule.texts(site.statement.source, failure.error, failure.message):
                yield _proposal(rule.name, rule.reason, site, text, is_guess=rule.guess)


def _givers(failure: Failure) -> Iterator[Site]:
    """The statements before the failed one that gave it its names, at first or second hand, nearest first."""
    wanted = names_in(iter([failure.statement.source]))
    for site in _earlier_sites(failure):
        tree = parse(site.statement.source) or ast.Module([], [])
        names = {node for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if wanted & {node.id for node in names if isinstance(node.ctx, ast.Store)}:
            wanted |= {node.id for node in names}
            yield site


def _cell_magic(failure: Failure) -> Iterator[Proposal]:
    """The body of a cell magic such as %%time, so that its statements fail one by one."""
    source = failure.statement.source
    if not measures_cell(source):
        return
    body = source.lstrip().partition("\n")[2]
    text = body if statements(body) is not None else as_python3(body)
    if text:
        why = "what measures or hides the cell's run is left out"
        yield _proposal("cell-magic", why, failure.sites[-1], text)


def _magic(failure: Failure) -> Iterator[Proposal]:
    """A line magic as IPython takes it today: with no blank after its sign."""
    source = failure.statement.source
    if re.match(r"%\s+\w", source):
        why = "no blank stands between the sign and the magic's name any more"
        yield _proposal("magic-blank", why, failure.sites[-1], "%" + source[1:].lstrip())


def _folder(failure: Failure) -> Iterator[Proposal]:
    """A folder for what the statement writes."""
    found = _SAVES.search(failure.message)
    if found is None:
        return
    folder = found["folder"] or (found["path"].rpartition("/")[0] if "/" in found["path"] else "")
    is_inside = folder and not folder.startswith(("/", "..", "~")) and "/../" not in folder
    for site in failure.sites:
        if is_inside and _WRITES.search(site.statement.source):
            made = f"__import__('os').makedirs({folder!r}, exist_ok=True)"
            yield _proposal(
                "folder", "the folder that it writes to is made first", site, f"{made}\n{site.statement.source}"
            )


def _input(failure: Failure) -> Iterator[Proposal]:
    """The answer that the author typed, where the file still shows it."""
    if failure.error != "StdinNotImplementedError":
        return
    shown = "".join(output.text for output in failure.outputs if output.kind == "stream")
    for site in failure.sites:
        tree = parse(site.statement.source)
        for node in ast.walk(tree) if tree is not None else ():
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) in ("input", "raw_input")):
                continue
            prompt = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            answer = re.search(re.escape(prompt) + r"(.*)", shown) if isinstance(prompt, str) and prompt else None
            segment = ast.get_source_segment(site.statement.source, node)
            if answer is not None and segment:
                text = site.statement.source.replace(segment, repr(answer[1]))
                yield _proposal("typed-answer", "what the author typed stands in the file", site, text)


def _widget(failure: Failure) -> Iterator[Proposal]:
    """A function's call in the place of the controls for its arguments, where their package is not there."""
    found = re.search(r"name '(\w+)' is not defined", failure.message)
    if failure.error != "NameError" or found is None:
        return
    known = controls(failure.lost, failure.sources[: failure.cell + 1])
    text = first_call(failure.statement.source, known) if found[1] in known.names else None
    if text is not None:
        yield _proposal(
            "widgets", "the function is called with what its controls hold at first", failure.sites[-1], text
        )


def _parameter(failure: Failure) -> Iterator[Proposal]:
    """A search over a parameter that has another name or has gone: with that name, or without it."""
    found = _PARAMETER.search(failure.message)
    if found is None:
        return
    name, new = found[1], _PARAMETERS.get(found[1])
    for site in [*failure.sites, *_earlier_sites(failure)]:
        module, magics = parsed(site.statement.source)
        if module is None or name not in site.statement.source:
            continue
        changed = module.visit(_WithoutKey(name) if new is None else _RenamedKey(name, new)).code
        if changed == module.code:
            continue
        text = show_magics(changed, magics)
        if new is None:
            why = f"the estimator has no parameter {name!r} any more"
            yield _proposal("parameter-gone", why, site, text, is_guess=True)
        else:
            yield _proposal("parameter-renamed", f"the estimator's parameter {name!r} is called {new!r}", site, text)


_COLUMN = re.compile(r"^\W*'([^']+)'|no attribute '(\w+)'")
_KEYS_OF_GROUPS = "groups-with-their-keys"


def _keys_of_groups(failure: Failure) -> Iterator[Proposal]:
    """A column that is missing further down, because groups do not have their keys any more."""
    found = _COLUMN.search(failure.message)
    rule = next(rule for rule in table().rules if rule.name == _KEYS_OF_GROUPS)
    if found is None or failure.error not in ("KeyError", "AttributeError"):
        return
    key = re.compile(rf"['\"]{re.escape(found[1] or found[2])}['\"]")
    for site in _earlier_sites(failure):
        if "groupby" in site.statement.source and key.search(site.statement.source):
            for text in rule.texts(site.statement.source, failure.error, failure.message):
                yield _proposal(rule.name, rule.reason, site, text, is_guess=rule.guess)


def _earlier_sites(failure: Failure) -> list[Site]:
    """Statements of the same and earlier cells, nearest first."""
    found: list[Site] = []
    for cell in range(failure.cell, -1, -1):
        for statement in reversed(statements(failure.sources[cell]) or []):
            if cell < failure.cell or statement.index < failure.statement.index:
                found.append(Site(cell, statement, statement.first_line))
    return found[:200]


class _WithoutKey(cst.CSTTransformer):
    """Removes the elements of dictionaries whose key is a parameter, or a step's parameter, of this name."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._name = name

    def leave_Dict(self, original_node: cst.Dict, updated_node: cst.Dict) -> cst.Dict:
        kept = [element for element in updated_node.elements if not self._is_it(element)]
        if len(kept) == len(updated_node.elements):
            return updated_node
        if kept:
            kept[-1] = kept[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
        return updated_node.with_changes(elements=kept)

    def _is_it(self, element: cst.BaseDictElement) -> bool:
        if not isinstance(element, cst.DictElement) or not isinstance(element.key, cst.SimpleString):
            return False
        key = str(element.key.evaluated_value)
        return key == self._name or key.endswith(f"__{self._name}")


class _RenamedKey(cst.CSTTransformer):
    """Renames a parameter, its own or a step's, in the keys of dictionaries."""

    def __init__(self, name: str, new: str) -> None:
        super().__init__()
        self._part = re.compile(rf"(?<=[_'\"]){re.escape(name)}(?=[_'\"])")
        self._new = new

    def leave_DictElement(self, original_node: cst.DictElement, updated_node: cst.DictElement) -> cst.DictElement:
        if not isinstance(updated_node.key, cst.SimpleString):
            return updated_node
        return updated_node.with_changes(
            key=updated_node.key.with_changes(value=self._part.sub(self._new, updated_node.key.value))
        )


_USUAL = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "display": "from IPython.display import display",
    "stats": "from scipy import stats",
    "os": "import os",
    "re": "import re",
    "math": "import math",
    "json": "import json",
    "io": "import io",
    "sys": "import sys",
    "train_test_split": "from sklearn.model_selection import train_test_split",
}
_OF_PYLAB = {
    "nan": "from numpy import nan",
    "inf": "from numpy import inf",
    "randn": "from numpy.random import randn",
    "DataFrame": "from pandas import DataFrame",
    "Series": "from pandas import Series",
}
"""Names that IPython's --pylab, or the author's own start-up file, had bound."""


def _usual_import(failure: Failure) -> Iterator[Proposal]:
    """A name that the notebook never binds, also not in what was dropped of it, but everybody means the same by."""
    found = re.search(r"name '(\w+)' is not defined", failure.message)
    if failure.error != "NameError" or found is None:
        return
    name = found[1]
    line = _USUAL.get(name) or _OF_PYLAB.get(name)
    if name == "datetime":
        is_module = re.search(r"\bdatetime\.(?:datetime|timedelta|date)\b", failure.statement.source)
        line = "import datetime" if is_module else "from datetime import datetime"
    forms = (
        rf"[\w, ]*\b{name}\b[\w, ]*=[^=]",
        rf"(?:from .*)?import .*\b{name}\b",
        rf"def {name}\b",
        rf"for .*\b{name}\b.* in\b",
    )
    binds = re.compile(rf"^[#\s]*(?:{'|'.join(forms)})", re.MULTILINE)
    if line is not None and not any(binds.search(source) for source in failure.sources):
        source = failure.statement.source
        magic, line_end, body = source.partition("\n") if measures_cell(source) else ("", "", source)
        text = f"{magic}{line_end}{line}\n{body}"
        why = "the notebook never imports it"
        yield _proposal("usual-import", why, failure.sites[-1], text, is_guess=name in _OF_PYLAB)


_PLOTTERS = re.compile(r"^(plt|pyplot|pylab|sns|ax\w*|axes\w*|fig\w*|g|grid)\b|\.(plot|hist|boxplot)\b")


def _inner_plot(failure: Failure) -> Iterator[Proposal]:
    """A plotting call inside a function or loop, dropped; what the statement computes stays."""
    for site in failure.sites:
        tree = parse(site.statement.source)
        body = tree.body[0] if tree is not None and len(tree.body) == 1 else None
        if not isinstance(body, (ast.FunctionDef, ast.For, ast.While, ast.If, ast.With, ast.Try)):
            continue
        line = site.line - site.statement.first_line + 1
        calls = [
            node
            for node in ast.walk(body)
            if isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and node.lineno <= line <= (node.end_lineno or node.lineno)
            and _PLOTTERS.search(ast.unparse(node.value.func))
        ]
        if calls:
            yield _proposal("plot", "a plot that fails is left out", site, _without(site.statement.source, calls[-1]))


def _without(source: str, node: ast.stmt) -> str:
    lines = source.split("\n")
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    indent = lines[first][: len(lines[first]) - len(lines[first].lstrip())]
    dropped = [f"{indent}# {line.strip()}" for line in lines[first : last + 1]]
    return "\n".join([*lines[:first], f"{indent}pass  # Dropped: it draws, and fails", *dropped, *lines[last + 1 :]])
