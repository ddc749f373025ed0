"""What a program does to tables when it runs: the calls, filters, comparisons and branches of its own lines.

The program's text is compiled with a watcher around its expressions. A watcher looks at an object and hands it on, so
every call is still made from the line that wrote it; what libraries call inside themselves is not seen. Each place in
the text counts once for each thing that it does, however often it runs.
"""

import ast
import re
from typing import Any

_WATCHER = "__cellwright__"
_LIBRARIES = ("pandas", "numpy", "scipy", "sklearn", "statsmodels")
_TABLES = ("DataFrame", "Series")
# Functions that look at the frame that calls them, or at the text of the call.
_LEFT_ALONE = {"super", "locals", "globals", "vars", "dir", "eval", "exec", "print", "isinstance"}
_MOST_COLUMNS = 2000

# Method or function of a library to what it does to a table.
_GROUPS: dict[str, tuple[str, ...]] = {
    "load": ("read_csv", "read_excel", "read_table", "read_json", "read_parquet", "read_pickle", "read_feather",
             "read_fwf", "read_html", "read_sql", "loadtxt", "genfromtxt"),
    "join": ("merge", "join", "merge_asof", "merge_ordered", "align", "combine_first"),
    "stack": ("concat", "append", "vstack", "concatenate"),
    "group": ("groupby", "value_counts"),
    "reshape": ("pivot_table", "pivot", "crosstab", "melt", "unstack", "stack", "wide_to_long", "explode",
                "get_dummies", "transpose"),
    "resample": ("resample", "asfreq"),
    "window": ("rolling", "expanding", "ewm", "shift", "diff", "pct_change", "cumsum", "cumprod", "cummax", "cummin",
               "rank", "cumcount"),
    "bin": ("cut", "qcut", "digitize", "histogram"),
    "filter": ("query", "dropna", "drop_duplicates", "truncate", "between_time", "loc_mask"),
    "compare": ("isin", "between", "isna", "isnull", "notna", "notnull", "duplicated", "eq", "ne", "gt", "ge", "lt",
                "le", "any", "all"),
    "sort": ("sort_values", "sort_index", "nlargest", "nsmallest"),
    "extreme": ("idxmax", "idxmin", "argmax", "argmin"),
    "aggregate": ("mean", "median", "sum", "min", "max", "std", "var", "count", "nunique", "size", "quantile", "agg",
                  "aggregate", "describe", "mode", "sem", "skew", "kurt", "percentile", "average", "nanmean", "first",
                  "last", "prod", "unique", "len"),
    "derive": ("assign", "insert", "eval"),
    "change": ("fillna", "replace", "map", "apply", "applymap", "transform", "astype", "clip", "round", "interpolate",
               "ffill", "bfill", "to_numeric", "pipe"),
    "date": ("to_datetime", "to_timedelta", "date_range", "Timestamp", "Timedelta"),
    "arithmetic": ("add", "sub", "mul", "div", "divide", "multiply", "subtract", "pow", "mod", "floordiv", "abs"),
    "branch": ("where", "mask", "select"),
    "test": ("corr", "cov", "corrwith", "corrcoef"),
    "model": ("fit", "predict", "fit_transform", "fit_predict", "predict_proba", "score", "transform_model"),
}  # fmt: skip
_DOES = {name: noun for noun, names in _GROUPS.items() for name in names}
_DATE_ACCESSORS = ("DatetimeProperties", "CombinedDatetimelikeProperties", "TimedeltaProperties", "PeriodProperties")

_operations: list[str] = []
_done: set[tuple[int, str]] = set()
_loaders: set[int] = set()
_held: dict[int, str] = {}
_loaded: dict[str, None] = {}
_named: set[str] = set()
_sites = [0]


def watched(source: str, mode: str) -> ast.AST:
    """The syntax tree of a program's text with watchers in it."""
    tree: ast.AST = ast.parse(source, mode=mode)
    for node in ast.walk(tree):
        _note_names(node)
    marked: ast.AST = _Watch().visit(tree)
    return ast.fix_missing_locations(marked)


def seen() -> dict[str, list[str]]:
    """What was done so far, in order, and which columns of the files the text names."""
    return {"operations": list(_operations), "columns": [name for name in _loaded if name in _named]}


def _note_names(node: ast.AST) -> None:
    """Remember what could be the name of a column."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        _named.add(node.value)
    elif isinstance(node, ast.Attribute):
        _named.add(node.attr)
    elif isinstance(node, ast.keyword) and node.arg:
        _named.add(node.arg)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval"):
        for part in node.args:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                _named.update(re.findall(r"[^\W\d]\w*", part.value))


# --- watchers ---------------------------------------------------------------------------------------------


def called(site: int, function: Any) -> Any:
    """Of what is about to be called."""
    name = getattr(function, "__name__", "")
    owner = getattr(function, "__self__", None)
    library = _library_of(owner if _is_object(owner) else function)
    kind = type(owner).__name__
    noun = _DOES.get(name, "")
    if kind == "StringMethods":
        noun = "text"
    elif kind in _DATE_ACCESSORS:
        noun = "date"
    elif library == "scipy":
        noun = "test"
    elif library == "sklearn":
        noun = noun if noun in ("model", "test") else ""
    elif library == "numpy" and type(function).__name__ == "ufunc":
        noun = "arithmetic"
    elif library == "" and name not in ("len", "sum", "max", "min", "sorted"):
        noun = ""
    if noun == "load":
        _loaders.add(site)
    _note(site, noun)
    return function


def members(site: int, values: Any) -> Any:
    """Of what the values of a column are looked for in: another column, and rows are kept by what a table holds."""
    if _is_table(values):
        _note(site, "join")
    return values


def made(site: int, result: Any) -> Any:
    """Of what a call gave: the columns of a file, when it was loaded."""
    if site in _loaders and _is_table(result) and hasattr(result, "columns"):
        for name in list(result.columns)[:_MOST_COLUMNS]:
            if isinstance(name, str):
                _loaded.setdefault(name)
    return result


def operand(site: int, value: Any, noun: str) -> Any:
    """Of a side of an operator."""
    if _is_table(value):
        _note(site, noun)
    return value


def held(site: int, value: Any) -> Any:
    """Of what is subscripted."""
    _held[site] = type(value).__name__ if _library_of(value) == "pandas" else ""
    return value


def by(site: int, key: Any) -> Any:
    """Of a subscript: a mask keeps rows."""
    first = key[0] if isinstance(key, tuple) and key else key
    mask = str(getattr(first, "dtype", "")) in ("bool", "boolean")
    if mask and _held.get(site):
        _note(site, "filter")
    return key


def stored(site: int, value: Any) -> Any:
    """Of what is assigned into."""
    if _library_of(value) == "pandas":
        _note(site, "derive")
    return value


def owned(site: int, value: Any, attribute: str) -> Any:
    """Of what an attribute is taken from."""
    if type(value).__name__ in _DATE_ACCESSORS:
        _note(site, "date")
    elif attribute == "T" and _is_table(value):
        _note(site, "reshape")
    return value


def branched(site: int, value: Any) -> Any:
    """Of the condition of a branch."""
    _note(site, "branch")
    return value


def looped(site: int, value: Any) -> Any:
    """Of what a loop goes through."""
    _note(site, "loop")
    return value


def _note(site: int, noun: str) -> None:
    if noun and (site, noun) not in _done:
        _done.add((site, noun))
        _operations.append(noun)


def _is_object(owner: Any) -> bool:
    """Whether an owner is an object, and not the module or class that a function stands in."""
    return owner is not None and type(owner).__name__ not in ("module", "type")


def _library_of(value: Any) -> str:
    module = getattr(value, "__module__", None) if callable(value) and hasattr(value, "__name__") else None
    root = str(module or type(value).__module__).partition(".")[0]
    return root if root in _LIBRARIES else ""


def _is_table(value: Any) -> bool:
    return type(value).__name__ in _TABLES and _library_of(value) == "pandas"


class _Watch(ast.NodeTransformer):
    """Puts the watchers in."""

    def _watch(self, watcher: str, node: ast.expr, *more: ast.expr, site: int) -> ast.expr:
        function = ast.Attribute(ast.Name(_WATCHER, ast.Load()), watcher, ast.Load())
        return ast.Call(function, [ast.Constant(site), node, *more], [])

    def _site(self) -> int:
        _sites[0] += 1
        return _sites[0]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in _LEFT_ALONE:
            return node
        site = self._site()
        if isinstance(node.func, ast.Attribute) and node.func.attr == "isin" and len(node.args) == 1:
            node.args = [self._watch("members", node.args[0], site=site)]
        node.func = self._watch("called", node.func, site=site)
        return self._watch("made", node, site=site)

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        # & and | join conditions, which were counted when they were compared.
        if not isinstance(node.op, (ast.BitAnd, ast.BitOr, ast.BitXor)):
            site, noun = self._site(), ast.Constant("arithmetic")
            node.left = self._watch("operand", node.left, noun, site=site)
            node.right = self._watch("operand", node.right, noun, site=site)
        return node

    def visit_Compare(self, node: ast.Compare) -> ast.AST:
        self.generic_visit(node)
        site, noun = self._site(), ast.Constant("compare")
        node.left = self._watch("operand", node.left, noun, site=site)
        node.comparators = [self._watch("operand", side, noun, site=site) for side in node.comparators]
        return node

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        site = self._site()
        if isinstance(node.ctx, ast.Load):
            node.value = self._watch("held", node.value, site=site)
            if not any(isinstance(part, (ast.Slice, ast.Starred)) for part in (node.slice, *_parts(node.slice))):
                node.slice = self._watch("by", node.slice, site=site)
        else:
            node.value = self._watch("stored", node.value, site=site)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        node.value = self._watch("owned", node.value, ast.Constant(node.attr), site=self._site())
        return node

    def visit_If(self, node: ast.If) -> ast.AST:
        self.generic_visit(node)
        node.test = self._watch("branched", node.test, site=self._site())
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        self.generic_visit(node)
        node.test = self._watch("branched", node.test, site=self._site())
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.iter = self._watch("looped", node.iter, site=self._site())
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        node.test = self._watch("looped", node.test, site=self._site())
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.target = self.visit(node.target)
        node.value = self.visit(node.value) if node.value is not None else None
        return node

    def visit_arg(self, node: ast.arg) -> ast.AST:
        return node  # its annotation is no part of what runs

    def visit_match_case(self, node: ast.match_case) -> ast.AST:
        node.guard = self.visit(node.guard) if node.guard is not None else None
        node.body = [self.visit(statement) for statement in node.body]
        return node


def _parts(node: ast.expr) -> list[ast.expr]:
    return list(node.elts) if isinstance(node, ast.Tuple) else []
