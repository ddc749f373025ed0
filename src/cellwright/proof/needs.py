"""What a statement cannot do without: names that it surely evaluates, read off the syntax tree.

Running would tell as well, at the price of a run. Of a loop, what its body begins with counts: where the loop has no
turn, it does nothing, and the same statements without it do as well. Not so of one with an `else`, which may run alone.
Of a function that is called, what its body surely evaluates counts where the call stands.
"""

import ast
import builtins
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cellwright.proof.bindings import bound_names, of_scope

BUILTINS = frozenset(dir(builtins)) | {
    "get_ipython", "display", "In", "Out", "_", "__", "___", "__name__", "__file__", "__doc__", "__builtins__",
}  # fmt: skip
_LEAVES = (ast.Return, ast.Raise, ast.Break, ast.Continue)


@dataclass(frozen=True)
class Needs:
    """Of a statement, an expression or a function's body."""

    names: frozenset[str] = frozenset()
    """Global names without which it surely fails, builtins left out."""
    calls: frozenset[str] = frozenset()
    """Those of the names that it surely calls."""


NOTHING = Needs()


@dataclass
class Known:
    """The names that a list of statements may have bound so far."""

    names: set[str] = field(default_factory=set)
    _bodies: dict[str, Needs] = field(default_factory=dict)
    """What functions need when they are called, by their names."""

    def bind(self, names: Iterable[str], defines: Iterable[str] = (), when_called: Needs | None = None) -> None:
        """After a statement that may bind names. `when_called`: of the function that it defines, if it does."""
        for name in names:
            self.names.add(name)
            self._bodies.pop(name, None)
        if when_called is not None:
            self._bodies.update(dict.fromkeys(defines, when_called))

    def lacking(self, needs: Needs) -> set[str]:
        """What is not bound of the names that something needs, and that the functions need which it calls."""
        wanted, calls, pending = set(needs.names), set[str](), list(needs.calls)
        while pending:
            name = pending.pop()
            body = self._bodies.get(name)
            if name not in calls and body is not None:
                calls.add(name)
                wanted |= body.names
                pending += body.calls
        return wanted - self.names


def needs_of(node: ast.AST, *, loops_turn: bool = True) -> Needs:
    """Of a statement at the top of a program, an expression, or a module's statements in order.

    `loops_turn`: whether what a loop's first turn needs counts.
    """
    found = _Found()
    found.follow(node.body if isinstance(node, ast.Module) else [node], loops_turn=loops_turn)
    return found.needs


def needs_when_called(node: ast.AST) -> Needs | None:
    """Of a function's body; None for what is no plain function, or does not run its body when it is called."""
    if not isinstance(node, ast.FunctionDef) or node.decorator_list or _is_generator(node):
        return None
    declared = {name for part in of_scope(node.body) if isinstance(part, ast.Global) for name in part.names}
    if any(isinstance(part, ast.Nonlocal) for part in of_scope(node.body)):
        return None
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    own = {argument.arg for argument in every if argument is not None} | bound_names(node.body)
    found = _Found(bound=own - declared)
    found.follow(node.body, loops_turn=False)
    return found.needs


@dataclass
class _Found:
    """Collects in the order in which things are evaluated, up to where that is not sure any more."""

    bound: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)

    @property
    def needs(self) -> Needs:
        return Needs(frozenset(self.names), frozenset(self.calls))

    def follow(self, body: Sequence[ast.AST], *, loops_turn: bool) -> None:
        """Statements in order, until one may leave their block."""
        for node in body:
            self._statement(node, loops_turn)
            self.bound |= bound_names([node])
            if any(isinstance(part, _LEAVES) for part in of_scope([node])):
                return

    def _statement(self, node: ast.AST, loops_turn: bool) -> None:
        match node:
            case ast.For():
                self._evaluate(node.iter)
                if loops_turn and not node.orelse:  # which runs without any turn, too
                    self._inside([node.target, *node.body])
            case ast.While():
                self._evaluate(node.test)
                if loops_turn and not node.orelse:
                    self._inside(node.body)
            case ast.If():
                self._evaluate(node.test)
            case ast.With():
                self._evaluate(*(item.context_expr for item in node.items))
            case ast.Match():
                self._evaluate(node.subject)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                defaults = [*node.args.defaults, *(d for d in node.args.kw_defaults if d is not None)]
                self._evaluate(*node.decorator_list, *defaults)
            case ast.ClassDef():
                self._evaluate(*node.decorator_list, *node.bases, *(keyword.value for keyword in node.keywords))
            case ast.Try() | ast.TryStar() | ast.AsyncFor() | ast.AsyncWith() | ast.Assert():
                pass  # what is caught, or seldom stands in a notebook
            case ast.AnnAssign():
                self._evaluate(node.target, *([node.value] if node.value is not None else ()))
            case _:
                self._evaluate(node)

    def _inside(self, body: Sequence[ast.AST]) -> None:
        """The first turn of a loop."""
        turn = _Found(set(self.bound) | bound_names(body[:1] if isinstance(body[0], ast.expr) else ()))
        turn.follow(body, loops_turn=True)
        self.names |= turn.names
        self.calls |= turn.calls

    def _evaluate(self, *nodes: ast.AST) -> None:
        names, calls, deleted = set[str](), set[str](), set[str]()
        pending: list[ast.AST] = list(nodes)
        while pending:
            part = pending.pop()
            match part:
                case ast.Name(ctx=ast.Load()):
                    names.add(part.id)
                case ast.Name(ctx=ast.Del()):
                    deleted.add(part.id)
                case ast.AugAssign(target=ast.Name(name)):
                    names.add(name)
                    pending.append(part.value)
                case ast.Lambda():
                    pending += [*part.args.defaults, *(d for d in part.args.kw_defaults if d is not None)]
                case ast.IfExp():
                    pending.append(part.test)
                case ast.BoolOp():
                    pending.append(part.values[0])
                case ast.Compare():
                    pending += [part.left, part.comparators[0]]
                case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                    pending.append(part.generators[0].iter)
                case _:
                    if isinstance(part, ast.Call) and isinstance(part.func, ast.Name):
                        calls.add(part.func.id)
                    pending += ast.iter_child_nodes(part)
        walrus = {p.target.id for node in nodes for p in ast.walk(node) if isinstance(p, ast.NamedExpr)}
        self.names |= (names - walrus - BUILTINS - self.bound) | (deleted - self.bound)
        self.calls |= calls - walrus - self.bound


def _is_generator(node: ast.FunctionDef) -> bool:
    return any(isinstance(part, (ast.Yield, ast.YieldFrom)) for part in of_scope(node.body))
