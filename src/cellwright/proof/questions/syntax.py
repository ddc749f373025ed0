"""What the text of a program tells before it is read."""

import ast


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
    """A body that ends in `if a: return b` and `return c`, with one `return b if a else c` instead."""
    match body:
        case [*lead, ast.If(test=test, body=[ast.Return(value=ast.expr() as yes)], orelse=[ast.Return(value=no)])]:
            rest: ast.expr | None = no
        case [*lead, ast.If(test=test, body=[ast.Return(value=ast.expr() as yes)], orelse=[]), ast.Return(value=no)]:
            rest = no
        case _:
            return body or [ast.Pass()]
    if rest is None:
        return body
    return [*lead, ast.Return(ast.IfExp(test, yes, rest))]
