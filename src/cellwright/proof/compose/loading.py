"""How a table could be loaded: plainly, as the notebook itself does, or by what its name and separators suggest."""

import ast
from collections.abc import Iterator, Sequence

from cellwright.core.types import Table

_PLAIN = {
    ".csv": ("pd.read_csv({path!r})", "pd.read_csv({path!r}, sep=';')", "pd.read_csv({path!r}, encoding='latin-1')"),
    ".tsv": ("pd.read_csv({path!r}, sep='\\t')",),
    ".txt": ("pd.read_csv({path!r})", "pd.read_csv({path!r}, sep='\\t')"),
    ".data": ("pd.read_csv({path!r})",),
    ".xlsx": ("pd.read_excel({path!r})",),
    ".xls": ("pd.read_excel({path!r})",),
    ".parquet": ("pd.read_parquet({path!r})",),
}
# What a program composed over the table must not take over from the notebook: it reads only a part, or labels rows.
_NOT_TAKEN_OVER = {"nrows", "index_col", "usecols", "chunksize", "iterator", "skipfooter", "dtype", "converters"}
_READERS = {"read_csv", "read_table", "read_excel", "read_json", "read_parquet"}
_MOST = 5


def loads(table: Table, sources: Sequence[str]) -> tuple[str, ...]:
    """Expressions that may load a table, the plainest first. `sources` are the notebook's cells."""
    path = f"data/{table.name}"
    dot = table.name.rfind(".")
    suffix = table.name[dot:].lower() if dot > 0 else ""
    plain = [form.format(path=path) for form in _PLAIN.get(suffix, ())]
    written = [load for source in sources for load in _written(source, path)]
    return tuple(dict.fromkeys([*plain[:1], *written, *plain[1:]]))[:_MOST]


def _written(source: str, path: str) -> Iterator[str]:
    """The notebook's own calls that read this file with constant arguments, as calls of `pd`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _READERS):
            continue
        if len(node.args) != 1 or not _is_constant(node.args[0]) or ast.literal_eval(node.args[0]) != path:
            continue
        given = [word for word in node.keywords if word.arg not in _NOT_TAKEN_OVER]
        if len(given) == len(node.keywords) and all(word.arg and _is_constant(word.value) for word in given):
            call = ast.Call(ast.Attribute(ast.Name("pd"), node.func.attr), node.args, given)
            yield ast.unparse(call)


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
