"""Which expressions of a notebook name a file that is read, and what paths they stand for."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

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
    """For a name: the cell and the expression that it was last bound to."""


@dataclass
class _Function:
    """A function of the notebook that passes parameters on to something that reads."""

    node: ast.FunctionDef
    parameters: set[str] = field(default_factory=set)


def find_reads(trees: Sequence[ast.Module | None]) -> list[Read]:
    """Every read of the notebook, in order, with the paths that it stands for."""
    finder = _Finder()
    for cell, tree in enumerate(trees):
        if tree is not None:
            finder.run(cell, tree)
    for cell, function, defaults in finder.bodies:
        finder.run_body(cell, function, defaults)
    return finder.reads


class _Finder(ast.NodeVisitor):
    """Follows a notebook's cells in order: names bound to constants, loops over them, and calls that read."""

    def __init__(self) -> None:
        self.reads: list[Read] = []
        self.bodies: list[tuple[int, ast.FunctionDef, dict[str, Values]]] = []
        self._names: dict[str, Values] = {}
        self._bound: dict[str, tuple[int, ast.expr]] = {}
        self._functions: dict[str, _Function] = {}
        self._given: dict[str, dict[str, Values]] = {}
        self._parameters: set[str] = set()
        self._cell = 0

    def run(self, cell: int, tree: ast.Module) -> None:
        self._cell = cell
        for statement in tree.body:
            self.visit(statement)

    def run_body(self, cell: int, function: ast.FunctionDef, defaults: dict[str, Values]) -> None:
        """A function's body, with the names of the whole notebook, its defaults, and what calls give it."""
        outer, self._cell = (dict(self._names), dict(self._bound)), cell
        given = self._given.get(function.name, {})
        arguments = function.args
        self._parameters = {p.arg for p in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)}
        for name in self._parameters:
            self._names[name] = given.get(name) or defaults.get(name, ())
            self._bound.pop(name, None)
        for statement in function.body:
            self.visit(statement)
        (self._names, self._bound), self._parameters = outer, set()

    # --- bindings ---

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        found = _Function(node)
        for inner in ast.walk(node):
            for argument in _arguments(inner):
                if isinstance(argument, ast.Name) and argument.id in {a.arg for a in node.args.args}:
                    found.parameters.add(argument.id)
        self._functions[node.name] = found
        defaults = {name: evaluate(default, self._names) for name, default in _defaults(node)}
        self.bodies.append((self._cell, node, defaults))
        for name, default in _defaults(node):
            if name in found.parameters:
                self.reads.append(Read(self._cell, default, defaults[name]))

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        for target in node.targets:
            self._bind(target, evaluate(node.value, self._names))
            if isinstance(target, ast.Name):
                self._bound[target.id] = (self._cell, node.value)
                self._parameters.discard(target.id)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self._bind(node.target, evaluate(node.value, self._names))

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            self._names.pop(node.target.id, None)

    def _bind(self, target: ast.expr, values: Values) -> None:
        if isinstance(target, ast.Name):
            if values:
                self._names[target.id] = values
            else:
                self._names.pop(target.id, None)
        elif isinstance(target, (ast.Tuple, ast.List)):
            rows = [known.value for known in values if isinstance(known.value, tuple)]
            for number, part in enumerate(target.elts):
                whole = len(rows) == len(values) and all(len(row) == len(target.elts) for row in rows)
                self._bind(part, tuple(row[number] for row in rows) if whole else ())

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._bind(node.target, self._each(node.iter))
        for statement in (*node.body, *node.orelse):
            self.visit(statement)

    def _each(self, iterable: ast.expr) -> Values:
        """What a loop's target takes, one value for each turn."""
        match iterable:
            case ast.Call(func=ast.Name(id="enumerate"), args=[inner, *_]):
                return tuple(Known((Known(number), known)) for number, known in enumerate(self._each(inner)))
            case ast.Call(func=ast.Name(id="zip"), args=inner):
                return tuple(Known(row) for row in zip(*map(self._each, inner), strict=False))
        values = evaluate(iterable, self._names)
        return tuple(item for known in values if isinstance(known.value, tuple) for item in known.value)

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> None:
        outer = dict(self._names)
        for generator in node.generators:
            self.visit(generator.iter)
            self._bind(generator.target, self._each(generator.iter))
        for part in [node.key, node.value] if isinstance(node, ast.DictComp) else [node.elt]:
            self.visit(part)
        self._names = outer

    visit_ListComp = visit_SetComp = visit_GeneratorExp = visit_DictComp = _comprehension

    # --- reads ---

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        if (receiver := _receiver(node)) is not None and (values := evaluate(receiver, self._names)) and texts(values):
            self.reads.append(Read(self._cell, receiver, values, "receiver"))
            return
        if ast.unparse(node.func) in _GLOBS and node.args:
            self.reads.append(Read(self._cell, node.args[0], evaluate(node.args[0], self._names), "glob"))
            return
        for argument in (*_arguments(node), *self._passed_on(node)):
            name = argument.id if isinstance(argument, ast.Name) else ""
            if name not in self._parameters:  # what is passed on as it is, is rewritten where the call gives it
                values = evaluate(argument, self._names)
                self.reads.append(Read(self._cell, argument, values, definition=self._bound.get(name)))

    def _passed_on(self, node: ast.Call) -> Iterator[ast.expr]:
        """Arguments of a call to a function of the notebook that reads what it is given."""
        function = self._functions.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if function is None:
            return
        parameters = [parameter.arg for parameter in function.node.args.args]
        given = [*zip(parameters, node.args, strict=False), *((k.arg, k.value) for k in node.keywords if k.arg)]
        seen = self._given.setdefault(function.node.name, {})
        for name, argument in given:
            seen[name] = (*seen.get(name, ()), *evaluate(argument, self._names))
            if name in function.parameters:
                yield argument


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
