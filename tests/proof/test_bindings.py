"""Names that statements bind and change, against Python's own table of symbols."""

import ast
import symtable

import pytest

from cellwright.proof.bindings import bound_names, changed_names

STATEMENTS = [
    "x = 1",
    "x, (y, *z) = 1, (2, 3)",
    "x: int = 1",
    "x: int",
    "d.x: int = 1",
    "x += 1",
    "d['k'] = x",
    "import a.b, c as d",
    "from a.b import c, d as e",
    "def f(a, b=(c := 1)):\n    inner = 1\n    import other",
    "class C:\n    member = 1",
    "f = lambda a: (b := a)",
    "y = [x for x in xs if (z := x)]",
    "x = [x for x in xs]",
    "y = [[(deep := a) for a in b] for b in c]",
    "for x, y in pairs:\n    z = x",
    "with open(p) as f, g() as (h, i):\n    pass",
    "try:\n    a = 1\nexcept ValueError as error:\n    b = 2\nfinally:\n    c = 3",
    "try:\n    a = 1\nexcept* ValueError as error:\n    b = 2",
    "match a:\n    case [b, *c]:\n        pass\n    case {'k': d, **e}:\n        pass",
    "match a:\n    case int() as f:\n        g = f",
    "async def f():\n    async with a as b:\n        c = 1",
    "if (n := len(a)) > 1:\n    m = n",
    "while (line := read()):\n    pass",
]


@pytest.mark.parametrize("source", STATEMENTS)
def test_binds_what_python_says(source: str) -> None:
    """What a statement may bind is what Python's compiler takes for assigned or imported in its scope."""
    expected = _bound_in(symtable.symtable(source, "<test>", "exec"))
    found = bound_names(ast.parse(source).body)
    # An annotated name makes a module's `__annotations__`; the compiler counts one without a value as assigned.
    annotated = {"__annotations__"} if "x: int" in source and "d.x" not in source else set()
    assert found == expected | annotated


def _bound_in(table: symtable.SymbolTable) -> set[str]:
    """Comprehensions are scopes to the compiler, in which the names of `:=` are those of the scope around."""
    found = {s.get_name() for s in table.get_symbols() if s.is_assigned() or s.is_imported()}
    inner = [child for child in table.get_children() if child.get_name() == "listcomp"]
    return found | {name for child in inner for name in _bound_in(child) if not _is_own(child, name)}


def _is_own(table: symtable.SymbolTable, name: str) -> bool:
    return name in table.get_identifiers() and table.lookup(name).is_local()


@pytest.mark.parametrize(
    ("source", "changes", "reads"),
    [
        ("df['a'] = 1", "df", "df"),
        ("df.a.b[0].c = x", "df", "df"),
        ("x += y", "x", "x"),
        ("del x, d['k']", "d x", "d x"),
        ("xs.append(x)", "xs", "xs"),
        ("df.dropna(inplace=True)", "df", "df"),
        ("df.dropna(inplace=False)", "", ""),
        ("next(rows)", "rows", "rows"),
        ("def f():\n    global n\n    n = 1", "n", ""),
        ("y = x + 1", "", ""),
    ],
)
def test_tells_what_may_change(source: str, changes: str, reads: str) -> None:
    """Objects that change under their names are told from names that are bound anew."""
    assert changed_names(ast.parse(source)) == (set(changes.split()), set(reads.split()))
