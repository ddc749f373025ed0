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
# What a program composed over the table must not take over from the notebook: it reads only a part.
_NOT_TAKEN_OVER = {"nrows", "usecols", "chunksize", "iterator"}
# What makes other values or rows of the same file. Where a notebook says so, it knows, and reading plainly is wrong.
_OTHER_VALUES = {"na_values", "keep_default_na", "thousands", "decimal", "skiprows", "header", "names", "comment",
                 "skipfooter", "dtype", "converters", "sheet_name", "dayfirst"}  # fmt: skip
_TEXT_READERS = {"read_csv", "read_table", "read_excel"}
_READERS = {"read_csv", "read_table", "read_excel", "read_json", "read_parquet"}
_MOST = 5


def loads(table: Table, sources: Sequence[str]) -> tuple[str, ...]:
    """Expressions that may load a table, the plainest first; none but the notebook's where that says more of the file.
    `sources` are the notebook's cells."""
    path = f"data/{table.name}"
    plain = [form.format(path=path) for form in _plain(table)]
    calls = [call for source in sources for call in _calls(source, path)]
    written = [load for call in calls if (load := _taken_over(call)) is not None]
    knowing = [load for load in written if _words(load) & _OTHER_VALUES]
    if knowing or any({word.arg for word in call.keywords} & _OTHER_VALUES for call in calls):
        return tuple(dict.fromkeys(knowing))[:_MOST]
    return tuple(dict.fromkeys([*plain[:1], *written, *plain[1:]]))[:_MOST]


def why_no_load(table: Table) -> str:
    """The reason where `loads` gives nothing for a table."""
    return "its notebook loads it in a way of its own" if _plain(table) else "no way to load such a file is known"


def _plain(table: Table) -> tuple[str, ...]:
    dot = table.name.rfind(".")
    return _PLAIN.get(table.name[dot:].lower(), ()) if dot > 0 else ()


def as_texts(load: str) -> str:
    """The expression that loads the same with each value as the text that stands in the file; "None" for a file of
    another kind."""
    call = ast.parse(load, mode="eval").body
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _TEXT_READERS):
        return "None"
    kept = [word for word in call.keywords if word.arg not in ("dtype", "converters", "parse_dates", "thousands")]
    texts = "dtype=str" if _words(load) & {"na_values", "keep_default_na"} else _ALL_TEXTS
    added = ast.parse(f"f({texts})", mode="eval").body
    assert isinstance(added, ast.Call)
    return ast.unparse(ast.Call(call.func, call.args, [*kept, *added.keywords]))


_ALL_TEXTS = "dtype=str, keep_default_na=False, na_values=['']"


def _words(load: str) -> set[str | None]:
    call = ast.parse(load, mode="eval").body
    return {word.arg for word in call.keywords} if isinstance(call, ast.Call) else set()


def _calls(source: str, path: str) -> Iterator[ast.Call]:
    """The notebook's own calls that read this file."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and getattr(node.func, "attr", "") in _READERS and node.args):
            continue
        if _is_constant(node.args[0]) and ast.literal_eval(node.args[0]) == path:
            yield node


def _taken_over(node: ast.Call) -> str | None:
    """A call with constant arguments, as one of `pd`. What labels the rows stays a column."""
    if len(node.args) > 1 or not isinstance(node.func, ast.Attribute):
        return None
    if any(word.arg in (None, *_NOT_TAKEN_OVER) or not _is_known(word.value) for word in node.keywords):
        return None
    words = [word for word in node.keywords if word.arg != "index_col" or _is_false(word.value)]
    return ast.unparse(ast.Call(ast.Attribute(ast.Name("pd"), node.func.attr), node.args, words))


def _is_false(node: ast.expr) -> bool:
    """Of `index_col`, it says how lines that end in a separator are read."""
    return isinstance(node, ast.Constant) and node.value is False


def _is_known(node: ast.expr) -> bool:
    """Whether an argument means the same in another program: a constant, or a mapping to Python's own types."""
    if isinstance(node, ast.Dict):
        return all(key is not None and _is_constant(key) for key in node.keys) and all(map(_is_known, node.values))
    return _is_constant(node) or (isinstance(node, ast.Name) and node.id in ("str", "int", "float", "object"))


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
