"""The table of what libraries took away, and what to write in its place: `rules.toml`, read once.

A rule says which exception it mends (name and message), in which expressions, and how. It knows nothing of whether the
result is right: that is for execution to say.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import libcst as cst
import msgspec

from cellwright.proof.repair.cells import show_magics
from cellwright.proof.repair.patterns import Pattern, code, parsed, rewritten

_GROUP = re.compile(r"<(\w+)>")
_HOLE = re.compile(r"\$(\w+)")
_OPERATORS = ("+", "-", "*", "/", "//", "%", "**", "&", "|", "^")


@dataclass(frozen=True)
class Rule:
    """One change of a library, as a row of the table."""

    name: str
    library: str
    since: str
    """Version in which the old form stopped working."""
    why: str
    """For the person who reads the repaired notebook."""
    until: str = ""
    """Version in which it works again, whatever it gives now; empty for none."""
    guess: bool = False
    """Whether the new form can give another value than the old one gave."""
    error: str = ".*"
    """Name of the exception, a regular expression for the whole of it."""
    message: str = ""
    """Regular expression found in the exception's message. What its named groups held stands for <group> below."""
    rewrites: tuple[tuple[str, str], ...] = ()
    """Pattern and replacement, the likeliest first; each is tried until one runs."""
    augmented: bool = False
    """Whether the rewrites of `=` are also those of `+=` and the like."""
    where: Mapping[str, str] = field(default_factory=dict)
    """Hole to a regular expression for what it holds."""
    literals: tuple[tuple[str, str], ...] = ()
    """Regular expression for a whole text constant, and its replacement."""
    earlier: bool = False
    """Whether what fails may be what the form gave, in a later statement."""
    inside: str = ""
    """Of functions and methods, a regular expression: only what is passed to them is rewritten."""
    given: str = ""
    """Of a silent rule: a regular expression for what the notebook's code must have somewhere."""
    unless: str = ""
    """Of a silent rule: a regular expression for what neither the notebook's code nor what it showed may have."""
    setup: str = ""
    """Of the example: what runs before it."""
    before: str = ""
    """Of the example: a statement that fails with this error."""
    after: str = ""
    """Of the example: what the rule makes of it, which runs."""
    more: tuple[tuple[str, str], ...] = ()
    """Other examples after the same setup: before and after."""

    @property
    def reason(self) -> str:
        """Library, version and why."""
        return f"{self.library} {self.since}: {self.why}"

    def texts(self, statement: str, error: str, message: str) -> Iterator[str]:
        """What the rule would make of a statement that failed in this way, the likeliest first."""
        found = re.search(self.message, message, re.DOTALL)
        if found is None or re.fullmatch(self.error, error) is None:
            return
        told = {name: text for name, text in found.groupdict().items() if text is not None}
        for pattern in self.patterns(told):
            yield from rewritten(statement, pattern)
        for literal, becomes in self.literals:
            yield from _respelled(statement, _told(literal, told), _told(becomes, told))

    def patterns(self, told: Mapping[str, str] = MappingProxyType({})) -> Iterator[Pattern]:
        """The rewrites, with what the message told put in."""
        where = {name: _told(text, told) for name, text in self.where.items()}
        for match, rewrite in self.rewrites:
            for operator in ("", *(_OPERATORS if self.augmented else ())):
                old, new = (text.replace(" = $v", f" {operator}= $v") for text in (match, rewrite))
                yield Pattern(_told(old, told), _told(new, told), where, self.inside)


@dataclass(frozen=True)
class Moved:
    """A module, or a name of one, that stands elsewhere now."""

    old: str
    new: str
    library: str
    since: str
    """Version in which the old place went, or was deprecated."""
    guess: bool = False
    """Whether what stands there can give another value."""


@dataclass(frozen=True)
class _Renamed:
    """Names of one library that went in one version, as a group of the table."""

    library: str
    since: str
    names: Mapping[str, str]
    """Old to new: `np.NaN` to `np.nan`, or of values, `$x.as_matrix()`."""
    until: str = ""
    setup: str = ""
    """Of all examples: what runs before."""
    holes: Mapping[str, str] = field(default_factory=dict)
    """Of all examples: what the holes of the names hold."""

    def rules(self) -> Iterator[Rule]:
        """A rule for each name, with its example."""
        for old, new in self.names.items():
            bare = old.partition("(")[0]
            missing = "|".join(re.findall(r"\.(\w+)", bare))
            yield Rule(
                name=f"renamed-{old.replace('$x', '').strip('.()')}",
                library=self.library,
                since=self.since,
                until=self.until,
                why=f"{old.replace('$x', '')} is gone; {new.replace('$x', '')} gives the same",
                error="AttributeError",
                message=rf"has no attribute '(?:{missing})'|{re.escape(bare)}",
                rewrites=((old, new),),
                setup=self.setup,
                before=self._example(old),
                after=self._example(new),
            )

    def _example(self, name: str) -> str:
        held = _HOLE.sub(lambda found: self.holes[found[1]], name)
        return held.replace("...", self.holes.get("...", ""))


@dataclass(frozen=True)
class Table:
    """All rules."""

    rules: tuple[Rule, ...]
    """Tried on statements that fail."""
    silent: tuple[Rule, ...]
    """Applied to all statements: what they mend gives no error."""
    moved: tuple[Moved, ...]


@cache
def table() -> Table:
    """The table that ships with the program."""
    content = tomllib.loads(files(__package__).joinpath("rules.toml").read_text("utf-8"))
    rules = [msgspec.convert(row, Rule) for row in content["rule"]]
    for group in content["renamed"]:
        rules.extend(msgspec.convert(group, _Renamed).rules())
    moved = [
        Moved(old, new, group["library"], group["since"], group.get("guess", False))
        for group in content["moved"]
        for old, new in group["modules"].items()
    ]
    silent = [msgspec.convert(row, Rule) for row in content["silent"]]
    return Table(tuple(rules), tuple(silent), tuple(moved))


def _told(text: str, told: Mapping[str, str]) -> str:
    return _GROUP.sub(lambda found: told.get(found[1], found[0]), text)


def _respelled(statement: str, pattern: str, becomes: str) -> Iterator[str]:
    module, magics = parsed(statement)
    if module is None:
        return
    changed = module.visit(_Respeller(re.compile(pattern), becomes)).code
    if changed != module.code:
        yield show_magics(changed, magics)


class _Respeller(cst.CSTTransformer):
    """Rewrites text constants, in the quotes that they have."""

    def __init__(self, pattern: re.Pattern[str], becomes: str) -> None:
        super().__init__()
        self._pattern, self._becomes = pattern, becomes

    def leave_SimpleString(self, original_node: cst.SimpleString, updated_node: cst.SimpleString) -> cst.SimpleString:
        text = updated_node.evaluated_value
        found = self._pattern.fullmatch(text) if isinstance(text, str) else None
        if found is None:
            return updated_node
        spelled = found.expand(self._becomes)
        quote = updated_node.quote
        plain = f"{updated_node.prefix}{quote}{spelled}{quote}"
        is_plain = spelled.isprintable() and "\\" not in spelled and quote[0] not in spelled
        return updated_node.with_changes(value=plain if is_plain else repr(spelled))


def moved_imports(statement: str, moved: Sequence[Moved]) -> str | None:
    """An import with the modules and names where they stand now; None when nothing of it has moved."""
    return _visited(statement, _Mover({row.old: row.new for row in moved}))


def moved_attributes(statement: str, moved: Sequence[Moved], modules: Mapping[str, str]) -> str | None:
    """A statement with what it takes from modules where that stands now; None when nothing of it has moved.

    `modules`: names that the notebook uses, and the modules, or what is in them, that they stand for.
    """
    return _visited(statement, _Follower({row.old: row.new for row in moved}, modules))


def _visited(statement: str, visitor: cst.CSTTransformer) -> str | None:
    module, magics = parsed(statement)
    if module is None:
        return None
    changed = module.visit(visitor).code
    return show_magics(changed, magics) if changed != module.code else None


class _Follower(cst.CSTTransformer):
    """Rewrites `sp.mean` where `sp` stands for a module of which `mean` has moved."""

    def __init__(self, places: Mapping[str, str], modules: Mapping[str, str]) -> None:
        super().__init__()
        self._places, self._modules = places, modules

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        head, dot, rest = code(original_node).partition(".")
        old = self._modules.get(head, "") + dot + rest
        new = self._places.get(old)
        if new is None:
            return updated_node
        module, _, name = new.rpartition(".")
        if module == old.rpartition(".")[0]:
            return updated_node.with_changes(attr=cst.Name(name))
        return cst.parse_expression(_imported(new))


class _Mover(cst.CSTTransformer):
    def __init__(self, places: Mapping[str, str]) -> None:
        super().__init__()
        self._places = places

    def _place(self, name: str) -> str:
        """Where a dotted name stands now: by its own row, else by that of the longest module that it begins with."""
        parts = name.split(".")
        for length in range(len(parts), 0, -1):
            if (found := self._places.get(".".join(parts[:length]))) is not None:
                return ".".join([found, *parts[length:]])
        return name

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        return False  # its names are no modules

    def leave_ImportFrom(
        self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom
    ) -> cst.ImportFrom | cst.FlattenSentinel[cst.BaseSmallStatement]:
        if updated_node.module is None or updated_node.relative:
            return updated_node
        source = code(original_node.module or updated_node.module)
        if isinstance(updated_node.names, cst.ImportStar):
            return updated_node.with_changes(module=_dotted(self._place(source)))
        groups: dict[str, list[cst.ImportAlias]] = {}
        is_same = True
        for alias in updated_node.names:
            old = code(alias.name)
            target, _, new = self._place(f"{source}.{old}").rpartition(".")
            is_same = is_same and (target, new) == (source, old)
            if new != old:
                kept = alias.asname or cst.AsName(cst.Name(old), cst.SimpleWhitespace(" "), cst.SimpleWhitespace(" "))
                alias = alias.with_changes(name=cst.Name(new), asname=kept)  # noqa: PLW2901
            groups.setdefault(target, []).append(alias)
        if is_same:
            return updated_node
        (target, *others) = groups
        if target and not others and not _is_class(target):
            return updated_node.with_changes(module=_dotted(target), names=groups[target])
        return cst.FlattenSentinel([new for place, aliases in groups.items() for new in _imports(place, aliases)])

    def leave_ImportAlias(self, original_node: cst.ImportAlias, updated_node: cst.ImportAlias) -> cst.ImportAlias:
        old = code(original_node.name)
        new = self._place(old)
        if new == old:
            return updated_node
        kept = updated_node.asname
        if kept is None and "." not in old:
            kept = cst.AsName(cst.Name(old), cst.SimpleWhitespace(" "), cst.SimpleWhitespace(" "))
        return updated_node.with_changes(name=_dotted(new), asname=kept)

    def leave_Attribute(self, original_node: cst.Attribute, updated_node: cst.Attribute) -> cst.BaseExpression:
        old = code(updated_node)
        new = self._places.get(old) if "\n" not in old else None
        return _dotted(new) if new is not None else updated_node


def _imports(target: str, aliases: Sequence[cst.ImportAlias]) -> list[cst.BaseSmallStatement]:
    if _is_class(target):
        return [_assignment(target, alias) for alias in aliases]
    names = [*aliases[:-1], aliases[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)]
    if not target:  # a name that is a module of its own now
        return [cst.Import([alias.with_changes(comma=cst.MaybeSentinel.DEFAULT) for alias in names])]
    return [cst.ImportFrom(_dotted(target), names)]


def _is_class(target: str) -> bool:
    """Whether a dotted name is one of a class: what is in it cannot be imported."""
    _, dot, name = target.rpartition(".")
    return bool(dot) and name[0].isupper()


def _assignment(target: str, alias: cst.ImportAlias) -> cst.BaseSmallStatement:
    name = alias.asname.name if alias.asname is not None else alias.name
    assert isinstance(name, cst.Name)
    value = cst.parse_expression(_imported(f"{target}.{code(alias.name)}"))
    return cst.Assign([cst.AssignTarget(name)], value)


def _imported(name: str) -> str:
    """A dotted name as an expression that imports what it needs."""
    owner, _, last = name.rpartition(".")
    if owner in ("", "builtins"):
        return last if owner else f"__import__({last!r})"
    module = owner.rpartition(".")[0] if _is_class(owner) else owner
    return f"__import__({module!r})" + name.removeprefix(module.partition(".")[0])


def _dotted(name: str) -> cst.Attribute | cst.Name:
    expression = cst.parse_expression(name)
    assert isinstance(expression, (cst.Attribute, cst.Name))
    return expression
