"""Which expressions of a notebook name a file that is read, and what paths they stand for."""

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from cellwright.corpus.carriers import names_with_other_uses, origins
from cellwright.corpus.constants import Known, Values, evaluate, texts

# Function to the position and the names of its argument that is a path.
_PANDAS = {
    "read_csv": "filepath_or_buffer",
    "read_table": "filepath_or_buffer",
    "read_fwf": "filepath_or_buffer",
    "read_excel": "io",
    "read_html": "io",
    "read_json": "path_or_buf",
    "read_hdf": "path_or_buf",
    "read_parquet": "path",
    "read_orc": "path",
    "read_feather": "path",
    "read_pickle": "filepath_or_buffer",
    "read_stata": "filepath_or_buffer",
    "read_sas": "filepath_or_buffer",
    "read_spss": "path",
    "read_xml": "path_or_buffer",
    "read_ndjson": "source",
    "scan_csv": "source",
    "scan_parquet": "source",
    "ExcelFile": "path_or_buffer",
    "HDFStore": "path",
}
_NUMPY = {"loadtxt": "fname", "genfromtxt": "fname", "recfromcsv": "fname", "fromfile": "file", "memmap": "filename"}
_OPENERS = {"open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open", "ZipFile", "zipfile.ZipFile"}
_OTHERS = {
    "np.load": "file",
    "numpy.load": "file",
    "sqlite3.connect": "database",
    "joblib.load": "filename",
    "from_csv": "path",
    "DataFrame.from_csv": "path",
    "pd.DataFrame.from_csv": "path",
    "Series.from_csv": "path",
    "pd.Series.from_csv": "path",
    "loadmat": "file_name",
    "imread": "fname",
}
_PATH_METHODS = {"read_text", "read_bytes", "open"}
_FILE_TESTS = {"exists", "isfile", "getsize", "getmtime"}
_GLOBS = {"glob.glob", "glob.iglob", "glob", "iglob"}


@dataclass(frozen=True)
class Read:
    """An expression that names a file."""

    cell: int
    node: ast.expr
    values: Values
    role: str = "path"
    """`path` for an argument, `receiver` for the object of a method such as `read_text`, `glob` for a pattern."""
    definition: tuple[int, ast.expr] | None = None
    """For a name that does nothing but name files: the cell and the expression that it was last bound to."""
    call: ast.Call | None = None
    """Of a pattern: the call that takes it."""
    is_shared: bool = False
    """Whether the constants that it stands for are used for more than reading: as keys, labels, or what is printed."""


@dataclass
class _Function:
    """A function of the notebook that passes parameters on to something that reads."""

    node: ast.FunctionDef
    parameters: set[str] = field(default_factory=set)
    """Those that it does nothing else with."""


@dataclass
class _State:
    """What names stand for at one place of the notebook: nothing where that is not known."""

    names: dict[str, Values] = field(default_factory=dict)
    bound: dict[str, tuple[int, ast.expr]] = field(default_factory=dict)
    """The cell and the expression that a name was last bound to."""

    def copy(self) -> "_State":
        return _State(dict(self.names), dict(self.bound))


def _joined(states: Sequence[_State]) -> _State:
    """What names can stand for after one of several branches. A name that some do not bind is used after the others."""
    joined = states[0].copy()
    for state in states[1:]:
        for name, values in state.names.items():
            known = joined.names.get(name, values)
            joined.names[name] = known if known is values else _either(known, values)
        for name, bound in state.bound.items():
            if joined.bound.setdefault(name, bound) != bound:
                del joined.bound[name]
    return joined


def _either(*choices: Values) -> Values:
    """All values of several choices; none where one of them is not known."""
    return tuple(known for values in choices for known in values) if all(choices) else ()


def find_reads(trees: Sequence[ast.Module | None]) -> list[Read]:
    """Every read of the notebook, in order, with the paths that it stands for."""
    finder = _Finder(_uses([tree for tree in trees if tree is not None]))
    for cell, tree in enumerate(trees):
        if tree is not None:
            finder.run(cell, tree)
    pending = list(finder.bodies)
    while pending:  # callers first; what calls a function mostly stands below it
        place = next((n for n in reversed(range(len(pending))) if finder.knows_calls(pending[n][1])), -1)
        finder.run_body(*pending.pop(place))
    spoken = names_with_other_uses([tree for tree in trees if tree is not None], finder.file_uses)
    return [finder.told(read, spoken) for read in finder.reads]


def _uses(trees: Iterable[ast.AST]) -> Counter[str]:
    """How often each name, also one of a method, is used."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    names = [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
    return Counter([*names, *(node.attr for node in nodes if isinstance(node, ast.Attribute))])


class _Finder(ast.NodeVisitor):
    """Follows a notebook's cells in order: names bound to constants, loops over them, and calls that read."""

    def __init__(self, uses: Counter[str]) -> None:
        self._uses = uses
        self.reads: list[Read] = []
        self.bodies: list[tuple[int, ast.FunctionDef, dict[str, Values]]] = []
        self.file_uses: set[ast.expr] = set()
        """Expressions of which only the file that they name is looked at."""
        self._carriers: dict[ast.Constant, set[str]] = {}
        """Names that stand for a constant, or for a list with it."""
        self._state = _State()
        self._ever: dict[str, list[Values]] = {}
        """All that a name of the notebook is bound to, outside functions."""
        self._functions: dict[str, _Function] = {}
        self._given: dict[str, list[dict[str, Values]]] = {}
        """Of each function, what its calls give."""
        self._passed: set[str] = set()
        """Parameters of the function under way that it only passes on to reads."""
        self._is_inner = False
        """Whether what is bound is no name of the notebook's own: in functions and comprehensions."""
        self._cell = 0

    def run(self, cell: int, tree: ast.Module) -> None:
        self._cell = cell
        self._run(tree.body)

    def _run(self, body: Iterable[ast.stmt]) -> None:
        for statement in body:
            self.visit(statement)

    def run_body(self, cell: int, function: ast.FunctionDef, defaults: dict[str, Values]) -> None:
        """A function's body, with the names of the whole notebook, its defaults, and what calls give it."""
        outer, self._state, self._cell, self._is_inner = self._state, self._state.copy(), cell, True
        for name, bindings in self._ever.items():
            if len(bindings) > 1:  # when the function is called, any of them may be the last
                self._state.names[name] = _either(*bindings)
                self._state.bound.pop(name, None)
        calls = self._given.get(function.name, [])
        if not self.knows_calls(function):
            calls = [dict.fromkeys(_parameters(function), ())]
        self._passed = set(self._functions[function.name].parameters)
        for name in _parameters(function):
            default = defaults.get(name, ())
            self._take(name, _either(*(call.get(name, default) for call in calls)) if calls else default)
            self._state.bound.pop(name, None)
        self._run(function.body)
        self._state, self._passed, self._is_inner = outer, set(), False

    def knows_calls(self, function: ast.FunctionDef) -> bool:
        """Whether all that is done with a function so far were calls that are followed."""
        return len(self._given.get(function.name, [])) >= self._uses[function.name]

    def told(self, read: Read, spoken: set[str]) -> Read:
        """A read, with whether its constants are used for more. `spoken`: the names that are."""
        is_shared = any(self._carriers.get(origin, set()) & spoken for origin in origins(read.values))
        is_named = isinstance(read.node, ast.Name) and read.node.id in spoken
        return replace(read, is_shared=is_shared, definition=None if is_named else read.definition)

    # --- bindings ---

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        read = [argument for inner in ast.walk(node) for argument in _file_uses(inner)]
        named = {argument.id for argument in read if isinstance(argument, ast.Name)}
        found = _Function(node, named & {a.arg for a in node.args.args} - names_with_other_uses([node], read))
        self._functions[node.name] = found
        defaults = {name: evaluate(default, self._state.names) for name, default in _defaults(node)}
        self.bodies.append((self._cell, node, defaults))
        for name, default in _defaults(node):
            if name in found.parameters:
                self.file_uses.add(default)
                self.reads.append(Read(self._cell, default, defaults[name]))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind(target, evaluate(node.value, self._state.names))
            if isinstance(target, ast.Name):
                self._state.bound[target.id] = (self._cell, node.value)
                self._passed.discard(target.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._bind(node.target, evaluate(node.value, self._state.names))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        self._bind(node.target, ())

    def visit_With(self, node: ast.With) -> None:
        for item in node.items:
            self.visit(item.context_expr)
            if item.optional_vars is not None:
                self._bind(item.optional_vars, ())
        self._run(node.body)

    def _bind(self, target: ast.expr, values: Values) -> None:
        if isinstance(target, ast.Name):
            self._take(target.id, values)
            if not self._is_inner:
                self._ever.setdefault(target.id, []).append(values)
        elif isinstance(target, (ast.Tuple, ast.List)):
            rows = [known.value for known in values if isinstance(known.value, tuple)]
            for number, part in enumerate(target.elts):
                whole = len(rows) == len(values) and all(len(row) == len(target.elts) for row in rows)
                self._bind(part, tuple(row[number] for row in rows) if whole else ())

    def _take(self, name: str, values: Values) -> None:
        self._state.names[name] = values
        for origin in origins(values):
            self._carriers.setdefault(origin, set()).add(name)

    # --- branches ---

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        before = self._state
        self._state = _joined([self._after(body, before) for body in (node.body, node.orelse)])

    def visit_Try(self, node: ast.Try) -> None:
        before = self._state
        tried = self._after(node.body, before)
        failed = _joined([before, tried])
        handled = [self._after(handler.body, failed) for handler in node.handlers]
        self._state = _joined([self._after(node.orelse, tried), *handled])
        self._run(node.finalbody)

    def _after(self, body: Sequence[ast.stmt], before: _State) -> _State:
        """What names stand for after a branch."""
        self._state = before.copy()
        self._run(body)
        return self._state

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        each = self._each(node.iter)
        self._loop((*node.body, *node.orelse), lambda: self._bind(node.target, each))

    def visit_While(self, node: ast.While) -> None:
        self._loop((*node.body, *node.orelse), lambda: self.visit(node.test))

    def _loop(self, body: Sequence[ast.stmt], head: Callable[[], None]) -> None:
        """A loop: a name that its body binds is unknown until then, for it may be an earlier turn's."""
        before, self._state = self._state, self._state.copy()
        for inner in (inner for statement in body for inner in ast.walk(statement)):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                self._state.names[inner.id] = ()
                self._state.bound.pop(inner.id, None)
        head()
        self._run(body)
        self._state = _joined([before, self._state])

    def _each(self, iterable: ast.expr) -> Values:
        """What a loop's target takes, one value for each turn."""
        match iterable:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
                return tuple(Known((Known(number), known)) for number, known in enumerate(self._each(inner)))
            case ast.Call(func=ast.Name(id="zip"), args=inner):
                return tuple(Known(row) for row in zip(*map(self._each, inner), strict=False))
        values = evaluate(iterable, self._state.names)
        return tuple(item for known in values if isinstance(known.value, tuple) for item in known.value)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer, was_inner, self._is_inner = self._state.copy(), self._is_inner, True
        for generator in node.generators:
            self.visit(generator.iter)
            self._bind(generator.target, self._each(generator.iter))
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self._state, self._is_inner = outer, was_inner

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # --- reads ---

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        names = self._state.names
        self.file_uses.update(_file_uses(node))
        if (receiver := _receiver(node)) is not None and (values := evaluate(receiver, names)) and texts(values):
            self.file_uses.add(receiver)
            self.reads.append(Read(self._cell, receiver, values, "receiver"))
            return
        if ast.unparse(node.func) in _GLOBS and node.args:
            self.reads.append(Read(self._cell, node.args[0], evaluate(node.args[0], names), "glob", call=node))
            return
        for argument in (*_arguments(node), *self._passed_on(node)):
            self.file_uses.add(argument)
            name = argument.id if isinstance(argument, ast.Name) else ""
            if name not in self._passed:  # what is passed on as it is, is rewritten where the call gives it
                values = evaluate(argument, names)
                self.reads.append(Read(self._cell, argument, values, definition=self._state.bound.get(name)))

    def _passed_on(self, node: ast.Call) -> Iterator[ast.expr]:
        """Arguments of a call to a function of the notebook that reads what it is given."""
        function = self._functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
        is_spread = any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)
        if function is None or is_spread:
            return
        parameters = [parameter.arg for parameter in function.node.args.args]
        given = [*zip(parameters, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
        values = {name: evaluate(argument, self._state.names) for name, argument in given}
        self._given.setdefault(function.node.name, []).append(values)
        yield from (argument for name, argument in given if name in function.parameters)


def _parameters(node: ast.FunctionDef) -> list[str]:
    return [p.arg for p in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]


def _defaults(node: ast.FunctionDef) -> Iterator[tuple[str, ast.expr]]:
    given = node.args.args[len(node.args.args) - len(node.args.defaults) :]
    for parameter, default in zip(given, node.args.defaults, strict=True):
        yield parameter.arg, default
    for parameter, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
        if value is not None:
            yield parameter.arg, value


def _receiver(node: ast.Call) -> ast.expr | None:
    """The path of `path.read_text()` and the like."""
    if (
        isinstance(node.func, ast.Attribute)
        and node.func.attr in _PATH_METHODS
        and ast.unparse(node.func) not in _OPENERS
    ):
        return None if _writes(node, 0) else node.func.value
    return None


def _file_uses(node: ast.AST) -> Iterator[ast.expr]:
    """The arguments of a call that are paths of files to read, or to ask about."""
    yield from _arguments(node)
    if isinstance(node, ast.Call) and node.args and ast.unparse(node.func).rpartition(".")[2] in _FILE_TESTS:
        yield node.args[0]


def _arguments(node: ast.AST) -> Iterator[ast.expr]:
    """The arguments of a call that are paths of files to read."""
    if not isinstance(node, ast.Call):
        return
    function = ast.unparse(node.func)
    last = function.rpartition(".")[2]
    if function in _OPENERS:
        if not _writes(node, 1):
            yield from _argument(node, "file")
        return
    name = _PANDAS.get(last) or _NUMPY.get(last) or _OTHERS.get(function)
    if name is not None:
        yield from _argument(node, name)


def _argument(node: ast.Call, name: str) -> Iterator[ast.expr]:
    if node.args:
        if not isinstance(node.args[0], ast.Starred):
            yield node.args[0]
        return
    yield from (keyword.value for keyword in node.keywords if keyword.arg in (name, "path", "filename"))


def _writes(node: ast.Call, position: int) -> bool:
    mode: ast.expr | None = node.args[position] if len(node.args) > position else None
    mode = next((k.value for k in node.keywords if k.arg == "mode"), mode)
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and bool(set(mode.value) & set("wax+"))
