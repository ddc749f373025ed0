"""What the reader knows of a value: not the value itself, but the words for it.

Frame     rows of one or more tables after some steps       "`cars.csv`, rows where `mpg` is greater than 20"
Column    one value per row of a frame                      "`weight` / `power`"
Condition one truth per row of a frame                      "`weight` is greater than 3000"
Quantity  one value in all                                  "the mean of `weight` over the rows where …"
Grouping  a frame split by keys                             "for each `origin`"
Labelled  one quantity per label                            "the mean of `weight` for each `origin`"
Grid      one quantity per row label and column label       what describe() and crosstab() give
Constant, Items, Module, Function, Method                   as in Python
"""

import ast
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, Protocol, TypeAlias

from cellwright.proof.questions import wording


class Unreadable(Exception):
    """The slice does something that has no words here. `reason` is short and countable."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Look:
    """What must be run to know which columns a slice names: `df.columns[2:5]`."""

    setup: tuple[str, ...]
    """Statements to run first."""
    expression: str
    """Python whose value is a list of column names, or something else where there are no words."""


Seen: TypeAlias = Mapping[Look, tuple[str, ...] | None]
"""What looks gave; None where the value is no list of names."""


class Unseen(Unreadable):
    """The slice has words once a look has been run."""

    def __init__(self, look: Look) -> None:
        super().__init__("columns known only at run time")
        self.look = look


@dataclass(frozen=True)
class Check:
    """What must be true, or a question has no single answer: two rows tie where only one is taken, for example."""

    setup: tuple[str, ...]
    """Statements to run first: those before the one that takes the rows."""
    expression: str
    """Python whose value is True where there is one answer."""


NEVER = Check((), "False")
"""Of what cannot be checked: whatever needs it is not asked about."""


@dataclass(frozen=True)
class Note:
    """A value or table that is worked out beside the main line, under a name that the words refer to."""

    name: str
    """ "value A" or "table A"."""
    text: str
    """What it is: a noun phrase that names its files."""


@dataclass(frozen=True)
class Order:
    """How rows are sorted."""

    keys: tuple[str, ...]
    """Column names."""
    ascending: tuple[bool, ...]
    check: Check | None = field(default=None, compare=False)
    """True where no two rows tie; None where that is certain."""

    @property
    def words(self) -> str:
        pairs = zip(self.keys, self.ascending, strict=True)
        return wording.listing(
            [f"{wording.name(key)} from {'lowest to highest' if up else 'highest to lowest'}" for key, up in pairs],
            last="and then",
        )


SAMPLE = "a random sample"
"""Rows that nobody can take again: only the table that they come from can be asked about."""


@dataclass(frozen=True)
class Frame:
    """Rows of tables after some steps."""

    tables: tuple[str, ...]
    """File names, in order of first use."""
    steps: tuple[str, ...] = ()
    """What was done to the rows, as commands: "drop the rows in which `x` is missing"."""
    where: tuple[str, ...] = ()
    """Conditions that the rows meet, applied after the steps."""
    order: Order | None = None
    """Sorting applied after the conditions."""
    taken: str | None = None
    """Rows taken after sorting: "the first 5 rows"."""
    selection: tuple[str, ...] | None = None
    """Columns that were picked; None means all."""
    index: tuple[str, ...] = ()
    """Names of the columns that label the rows; empty for row numbers."""
    sequence: Order | None = field(default=None, compare=False)
    """How the rows were sorted before the last steps, where that still holds."""
    shuffled: bool = False
    """Whether the order of the rows is no longer that of a file or of a sort: after a join."""
    joined: bool = False
    """Whether columns may have got endings that keep names of two tables apart."""
    unique: tuple[str, ...] = field(default=(), compare=False)
    """Columns in which no two rows are equal, by the making of the table; empty where that is not known."""
    kinds: tuple[tuple[str, str], ...] = field(default=(), compare=False)
    """Columns that hold something else than plain values: their names and kinds (`Column.kind`)."""
    labels: int = 0
    """How often the row labels were made anew: pandas brings together what has the same labels."""

    @property
    def label(self) -> str | None:
        """The one column that labels the rows."""
        return self.index[0] if len(self.index) == 1 else None

    def settled(self) -> "Frame":
        """The same rows with conditions, sorting and taking written as steps."""
        if self.taken == SAMPLE:
            raise Unreadable("method sample")
        steps = list(self.steps)
        if self.where:
            steps.append(f"keep only the rows where {wording.conditions(self.where)}")
        if self.order:
            steps.append(f"sort the rows by {self.order.words}")
        if self.taken:
            steps.append(f"keep only {self.taken}")
        sequence = self.order or self.sequence
        return replace(self, steps=tuple(steps), where=(), order=None, taken=None, sequence=sequence)

    def then(self, step: str, **changes: Any) -> "Frame":
        """The frame after one more step."""
        settled = self.settled()
        return replace(settled, steps=(*settled.steps, step), **{"unique": (), **changes})

    def keep(self, condition: str) -> "Frame":
        """The rows that also meet a condition."""
        base = self.settled() if self.taken else self
        return replace(base, where=(*base.where, condition))

    @property
    def base(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What two frames must share for their rows to be spoken of in one sentence."""
        return self.tables, self.steps

    @property
    def rows(self) -> str:
        """The rows, as a noun phrase: "the rows where `x` is 1"."""
        if self.taken:
            raise Unreadable("statistic of the first rows")
        return "rows" + (f" where {wording.conditions(self.where)}" if self.where else "")

    @property
    def among(self) -> str:
        """The columns that are meant, as what follows "column"; empty for all columns. Row labels are none."""
        if self.selection is None:
            labels = wording.listing([wording.name(name) for name in self.index])
            return f" other than {labels}" if labels else ""
        return f" among {wording.listing([wording.name(name) for name in self.selection])}"

    @property
    def over(self) -> str:
        """The rows, as what follows a statistic: " over the rows where `x` is 1"; empty for all rows."""
        return f" over the {self.rows}" if self.where or self.taken else ""


KEPT_KINDS = frozenset(("parts", "bins", "intervals"))
"""Kinds that a table remembers of its columns."""
BINS = frozenset(("bins", "intervals"))
"""Kinds that have an order of their own."""


@dataclass
class FrameBox:
    """What a variable that holds a frame refers to. Two names of one frame share the box, as in Python."""

    frame: Frame


_NAME = re.compile(r"`[^`]*`")
_PLAIN = re.compile(r"`[^`]*`|")
_JOINS = re.compile(r"\b(where|else|and|or)\b")
Form: TypeAlias = Literal["series", "element", "array", "list"]
"""A column of pandas; one value of it, in a function that is applied to each; an array of numpy; a list."""


@dataclass(frozen=True)
class Column:
    """One value per row."""

    frame: Frame
    words: str
    """Noun phrase of a row's value: "`age`"."""
    name: str | None = None
    """The column's name when it is a column of the file or one that was added."""
    compound: bool = False
    """Whether the words need parentheses inside a larger expression."""

    pandas_name: str | None = None
    """pandas' name of a computed column: that of the column it was computed from."""
    kind: str = ""
    """"parts" for lists of texts, "dates" for dates, "bins" for bins with names, "intervals" for those without."""
    form: Form = "series"
    """What Python has in hand."""

    @property
    def operand(self) -> str:
        """The words after others: "the mean of …"."""
        return f"({self.words})" if self.compound else self.words

    @property
    def term(self) -> str:
        """The words before others, or beside a sign: in parentheses unless they are a plain name."""
        return self.words if _PLAIN.fullmatch(self.words) else f"({self.words})"

    @property
    def subject(self) -> str:
        """The words as what a condition is about."""
        return f"({self.words})" if _JOINS.search(_NAME.sub("", self.words)) else self.words

    def computed(self, words: str, *, compound: bool = False, kind: str = "") -> "Column":
        """A column that was worked out from this one."""
        return Column(self.frame, words, None, compound, self.name or self.pandas_name, kind, self.form)

    @property
    def whole(self) -> "Column":
        """The same where rows that were taken, such as the first five, are told as a step."""
        return replace(self, frame=self.frame.settled()) if self.frame.taken else self


@dataclass(frozen=True)
class Columns:
    """Columns of one table that were worked out alike, each from the one of its name."""

    columns: Mapping[str, Column]


@dataclass(frozen=True)
class Condition:
    """One truth per row."""

    frame: Frame
    words: str
    """A clause: "`age` is greater than 30"."""
    single: bool = False
    """Whether it is one truth about the table, not one per row."""
    opposite: str = ""
    """The clause of its opposite, where that has words of its own."""


@dataclass(frozen=True)
class Quantity:
    """One value in all."""

    frame: Frame
    words: str
    """Noun phrase: "the mean of `age`"."""
    decimals: int | None = None
    family: str = "aggregate"
    text: bool = False
    """Whether it is a label rather than a number."""

    @property
    def told(self) -> str:
        """The words inside a larger expression, in which its rounding shows."""
        if self.decimals is None:
            return self.words
        return f"({self.words}) rounded to {wording.places(self.decimals)}"

    @property
    def operand(self) -> str:
        """The same in parentheses."""
        return f"({self.told})"


@dataclass(frozen=True)
class Grouping:
    """A frame split by keys."""

    frame: Frame
    keys: tuple[Column, ...]
    columns: tuple[str, ...] | None = None
    """Columns picked from each group; None means all."""
    single: bool = False
    """Whether one column was picked by its name and not by a list."""
    as_index: bool = True
    sorts: bool = True
    """Whether groups come in the order of their keys, and not in that of the rows."""
    in_order: Check | None = field(default=None, compare=False)
    """True where the order of the keys is the one that a person would give them."""

    @property
    def each(self) -> str:
        words = [key.subject.removeprefix("the ") for key in self.keys]
        return words[0] if len(words) == 1 else f"combination of {wording.listing(words)}"


@dataclass(frozen=True)
class Labelled:
    """One quantity per label."""

    frame: Frame
    at: Callable[[Sequence[object]], str]
    """The quantity's noun phrase for one label (a sequence, as labels may have several parts)."""
    statistic: str
    """Noun phrase without an article: "mean of `age`"."""
    each: str
    """What a label is: "`origin`", "column"."""
    decimals: int | None = None
    family: str = "group-aggregate"
    order: bool | None = None
    """True where sorted from lowest to highest, False from highest to lowest, None where not sorted by value."""
    taken: bool = False
    """Whether only some labels are shown."""
    first: int | None = None
    """How many are shown, the first ones in order; None for all or where that is not known."""
    text: bool = False
    """Whether the quantities are labels rather than numbers."""
    column: str = ""
    """pandas' name of the series."""
    ties: Check | None = None
    """True where no two quantities are equal."""
    ties_at_first: Check | None = None
    """True where the first quantity is that of one label only."""
    cut: Check | None = None
    """True where the last label shown does not tie with the first that is not."""
    pair: tuple["Grouping", str] | None = None
    """The groups and the quantity's words within each; None where other labelled values cannot be set beside it."""
    table: Callable[[str], Frame] | None = None
    """The table of labels and quantities, the quantities under this name; None where it has no words."""
    in_order: Check | None = None
    """True where the order of the labels is the one that a person would give them."""
    superlatives: tuple[str, str] | None = None
    """Noun phrases for the labels of the highest and lowest quantity, where the usual ones would be clumsy."""

    @property
    def kind(self) -> str:
        """What a label is, with the columns that were picked where the labels are columns."""
        return f"column{self.frame.among}" if self.each == "column" else self.each


@dataclass(frozen=True)
class Labels:
    """The labels of labelled quantities, in their order."""

    labelled: Labelled


@dataclass(frozen=True)
class Grid:
    """One quantity per row label and column label."""

    frame: Frame
    at: Callable[[Sequence[object], Sequence[object]], str]
    family: str
    decimals: int | None = None
    columns_are_names: bool = True
    each: str = ""
    """What a row label is; empty where rows cannot be compared."""
    statistic: Callable[[object], str] | None = None
    """The noun phrase of one column's quantities, without an article."""
    table: Frame | None = None
    """The same as a table."""
    pair: str = ""
    """Of a crosstab, the two columns in words."""


@dataclass(frozen=True)
class Rolling:
    """A column's or table's values, each with those just before it."""

    column: Column
    span: str
    """The values that each statistic is of: "the row and the 2 rows before it"."""


@dataclass(frozen=True)
class Resampled:
    """A table split by periods of a column of dates."""

    frame: Frame
    key: Column
    """The period of a row."""
    columns: tuple[str, ...] | None = None
    single: bool = False
    dates: str = ""
    """The source of the dates."""


@dataclass(frozen=True)
class Finding:
    """What a statistical test or a fitted line gives: several numbers by name."""

    frame: Frame
    parts: Mapping[str, Quantity]
    """By attribute; the order is that of the tuple."""


@dataclass(frozen=True)
class Constant:
    """A Python constant, or a list, tuple or dict of constants."""

    value: Any


@dataclass(frozen=True)
class Collected:
    """A list that a loop over a table's columns made: its names are looked up where it is used."""


@dataclass(frozen=True)
class Items:
    """A list or tuple of symbols."""

    symbols: tuple["Symbol", ...]


@dataclass(frozen=True)
class Module:
    """A module or a name in one, as a dotted path."""

    path: str


@dataclass(frozen=True)
class Function:
    """A lambda, or a function of the notebook that only assigns names and returns."""

    parameters: tuple[str, ...]
    body: ast.expr
    lead: tuple[ast.stmt, ...] = ()
    """Assignments before the body."""
    defaults: Mapping[str, "Symbol"] = field(default_factory=dict)


@dataclass(frozen=True)
class Method:
    """A method that is about to be called, or an accessor on the way to one."""

    receiver: "Symbol"
    name: str


@dataclass(frozen=True)
class ExtremeRow:
    """The label of the row with the highest or lowest value of a column, where rows have numbers for labels."""

    frame: Frame
    words: str
    """Noun phrase: "the row with the highest `age`"."""


@dataclass(frozen=True)
class Distinct:
    """The distinct values of a column, or their counts."""

    column: Column


@dataclass(frozen=True)
class Absence:
    """Whether each value of a table is missing (or, with `absent` False, present)."""

    frame: Frame
    absent: bool


@dataclass(frozen=True)
class Shape:
    """Number of rows and columns."""

    frame: Frame


Symbol: TypeAlias = (
    FrameBox
    | Frame
    | Column
    | Columns
    | Condition
    | Quantity
    | Grouping
    | Labelled
    | Labels
    | Grid
    | Constant
    | Collected
    | Items
    | Module
    | Function
    | Method
    | ExtremeRow
    | Distinct
    | Absence
    | Shape
    | Rolling
    | Resampled
    | Finding
)


@dataclass(frozen=True)
class Reading:
    """What a slice's expression is, with what must hold for that to be one value."""

    symbol: Symbol
    checks: tuple[Check, ...] = ()
    notes: tuple[Note, ...] = ()


@dataclass
class Arguments:
    """The arguments of a call. Each must be taken by the reading of the call, or the call is unreadable."""

    call: str
    positional: list[Symbol]
    named: dict[str, Symbol]
    receiver: str = ""
    """Source of what the method is called on."""
    texts: Mapping[str, str] = field(default_factory=dict)
    """Sources of the arguments, by name or by position."""
    _taken: set[str] = field(default_factory=set)

    def take(self, key: str, position: int | None = None) -> Symbol | None:
        """The argument of this name or position, None when absent."""
        if key in self.named:
            self._taken.add(key)
            return self.named[key]
        if position is not None and position < len(self.positional):
            self._taken.add(str(position))
            return self.positional[position]
        return None

    def text(self, key: str, position: int) -> str:
        """The source of the argument of this name or position; empty where it is not known."""
        return self.texts.get(key) or self.texts.get(str(position), "")

    @property
    def source(self) -> str:
        """The source of all arguments."""
        return ", ".join(text if key.isdigit() else f"{key}={text}" for key, text in self.texts.items())

    def constant(self, key: str, position: int | None = None, default: Any = None) -> Any:
        """The same, when it must be a constant."""
        symbol = self.take(key, position)
        if symbol is None:
            return default
        if not isinstance(symbol, Constant):
            raise Unreadable(f"computed argument of {self.call}()")
        return symbol.value

    def ignore(self, *keys: str) -> None:
        """Take arguments that have no say in the value."""
        self._taken.update(keys)

    def done(self) -> None:
        """Raise Unreadable when an argument was not taken."""
        places = {str(position) for position in range(len(self.positional))}
        left = (set(self.named) | places) - self._taken
        if left:
            raise Unreadable(f"argument {sorted(left)[0]} of {self.call}()")


class Evaluator(Protocol):
    """What the readings of calls need of the reader."""

    def evaluate(self, node: ast.expr) -> Symbol:
        """The symbol of an expression."""
        ...

    def constant(self, node: ast.expr) -> object:
        """The value of an expression that must be a constant."""
        ...

    def apply(self, function: Function, symbols: Sequence[Symbol]) -> Symbol:
        """The symbol of a one-line function's body for these arguments."""
        ...

    def call(self, function: Module, column: Column, named: Mapping[str, Symbol], source: str) -> Symbol:
        """The symbol of a library function's value for a column, whose source is given, and these arguments."""
        ...

    def within(self, names: Mapping[str, Symbol], body: ast.expr) -> Symbol:
        """The symbol of an expression in which some names mean something else."""
        ...

    def check(self, expression: str) -> Check:
        """A check to be made where the reader now is. Raises Unreadable inside of functions."""
        ...

    def look(self, expression: str) -> Constant:
        """The column names that an expression gives where the reader now is. Raises Unseen when they are not known."""
        ...

    def require(self, check: Check | None) -> None:
        """Ask only where this is true."""
        ...

    def note(self, kind: str, text: str) -> str:
        """The name of a value or table on the side, such as "value A"."""
        ...
