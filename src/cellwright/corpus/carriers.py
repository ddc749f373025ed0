"""Which names of a notebook do more with a path than read its file: as a key, a label, or what is printed.

By name, not by scope: a name that does more in one place is taken to do so everywhere.
"""

import ast
from collections.abc import Collection, Iterator, Sequence

from cellwright.corpus.constants import Known, Values

_PASSES_ON = frozenset(("enumerate", "zip", "list", "tuple", "reversed", "range", "len"))
_PARTS = frozenset(("items", "keys", "values"))


def origins(values: Values) -> Iterator[ast.Constant]:
    """The constants of the text that values are, those inside lists and dictionaries, too."""
    pending: list[Known] = list(values)
    while pending:
        known = pending.pop()
        if isinstance(known.value, tuple):
            pending.extend(known.value)
        elif known.origin is not None:
            yield known.origin


def names_with_other_uses(trees: Sequence[ast.AST], file_uses: Collection[ast.expr]) -> set[str]:
    """Names whose value is used in another way than in `file_uses`, as what a loop goes over, or under another name."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    plain = {part for use in file_uses for part in ast.walk(use)}
    for node in nodes:
        if isinstance(node, (ast.For, ast.comprehension)):
            plain.update(_passed_on(node.iter))
        elif isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
            plain.add(node.value)
        elif isinstance(node, ast.Compare) and all(isinstance(op, (ast.Is, ast.IsNot)) for op in node.ops):
            plain.add(node.left)
    loaded = (node for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load))
    return {node.id for node in loaded if node not in plain}


def _passed_on(iterable: ast.expr) -> Iterator[ast.AST]:
    """The parts of what a loop goes over that only reach its target."""
    match iterable:
        case ast.Call(func=ast.Name(id=name) as function, args=arguments) if name in _PASSES_ON:
            yield function
            for argument in arguments:
                yield from _passed_on(argument)
        case ast.Call(func=ast.Attribute(value=holder, attr=name)) if name in _PARTS:
            yield holder
        case ast.Name():
            yield iterable
