"""What the text of a program tells before it is read."""

import ast
from collections.abc import Mapping


def picks_columns(node: ast.expr) -> bool:
    """Whether an expression is made of a table's column names: `df.columns[2:5]`, `[c for c in df.columns if …]`."""
    match node:
        case ast.Attribute(attr="columns"):
            return True
        case ast.Attribute() | ast.Subscript():
            return picks_columns(node.value)
        case ast.Call(func=ast.Name(id="list" | "sorted" | "tuple"), args=[first, *_]):
            return picks_columns(first)
        case ast.Call(func=ast.Attribute(value=value)):
            return picks_columns(value)
        case ast.ListComp(generators=[ast.comprehension(iter=items)]):
            return picks_columns(items)
    return False


def collected(node: ast.For) -> set[str]:
    """The lists that a loop over column names appends to, where it does nothing else; empty where it does."""
    names: set[str] = set()
    todo: list[ast.stmt] = [*node.body, *node.orelse]
    while todo:
        match todo.pop():
            case ast.If(body=body, orelse=orelse):
                todo += [*body, *orelse]
            case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"))):
                names.add(name)
            case ast.Pass() | ast.Continue():
                pass
            case _:
                return set()
    return names if picks_columns(node.iter) else set()


def with_one_return(body: list[ast.stmt]) -> list[ast.stmt]:
    """A body that ends in branches that each return, with one `return b if a else …` instead."""
    start = next((place for place, statement in enumerate(body) if isinstance(statement, ast.If)), None)
    value = _returned(body[start:]) if start is not None else None
    return [*body[:start], ast.Return(value)] if value is not None else body or [ast.Pass()]


def _returned(body: list[ast.stmt]) -> ast.expr | None:
    """What branches return, as one expression; None where one does something else, or returns nothing."""
    match body:
        case [ast.Return(value=value), *_]:
            return value
        case [ast.If(test=test, body=yes, orelse=orelse), *rest]:
            then, otherwise = _returned([*yes, *rest]), _returned([*orelse, *rest])
            if then is not None and otherwise is not None:
                return ast.IfExp(test, then, otherwise)
    return None


def with_constants(expression: str, values: Mapping[str, object]) -> str:
    """An expression with the values of names in their place, where these are plain."""
    tree = ast.parse(expression, mode="eval")
    own = {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}

    class Names(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            value = values.get(node.id) if node.id not in own else None
            return ast.Constant(value) if isinstance(value, (str, int, float)) else node

    return ast.unparse(ast.fix_missing_locations(Names().visit(tree)))
