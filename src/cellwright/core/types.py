"""The nouns that travel between modules.

All are frozen. Every one can be a parquet row (`core.records`), so fields are strings, numbers,
booleans, literals, tuples, string maps, or other nouns; a free-form value is a JSON text and its field's
name ends in ``_json``.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# --- notebooks -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Output:
    """One output of a code cell, stored in a file or produced by a kernel, in order of arrival."""

    kind: Literal["stream", "display", "result", "error"]
    """As in nbformat: `display` is display_data, `result` is execute_result."""
    name: str = ""
    """stdout or stderr for a stream; the exception's class name for an error."""
    text: str = ""
    """A stream's text; an error's message (`evalue`)."""
    data: Mapping[str, str] = field(default_factory=dict)
    """MIME bundle of a display or result: media type to text, binary ones in base64, JSON ones as JSON text."""
    traceback: tuple[str, ...] = ()
    """Lines of an error's traceback, terminal colours removed."""


@dataclass(frozen=True)
class Cell:
    """One cell of a notebook."""

    kind: Literal["code", "markdown", "raw"]
    source: str
    outputs: tuple[Output, ...] = ()
    execution_count: int | None = None


@dataclass(frozen=True)
class Provenance:
    """Where a notebook came from."""

    source: str
    """Name of the folder, zip or file that was given, without the folders that lead to it."""
    path: str
    """Path of the notebook inside the source, with forward slashes."""
    sha256: str
    """Hash of the notebook file's bytes."""
    author: str | None = None
    licence: str | None = None
    """SPDX identifier when the nearest licence file is recognised."""
    nbformat: str = ""
    """Version in the file, for example "4.5"."""
    language: str = "python"


@dataclass(frozen=True)
class Notebook:
    """A notebook as it was written."""

    id: str
    """First 16 hexadecimal digits of a hash over source name and path: unique in a build, stable between builds."""
    provenance: Provenance
    cells: tuple[Cell, ...]

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        return tuple(cell for cell in self.cells if cell.kind == "code")


@dataclass(frozen=True)
class Table:
    """A file that code reads; identified by its content, never by its name."""

    sha256: str
    name: str
    """File name under `data/` in the work folder of every program that uses it."""
    bytes: int
    path: str = ""
    """Where it stood in the source."""
    licence: str | None = None

    @property
    def stored_name(self) -> str:
        """Name in a folder of tables that are kept by content: the hash with the file's suffix."""
        dot = self.name.rfind(".")
        suffix = self.name[dot:].lower() if dot > 0 else ""
        return self.sha256 + (suffix if suffix[1:].isalnum() else "")


# --- running code ----------------------------------------------------------------------------


@dataclass(frozen=True)
class CellResult:
    """What running one cell gave. Failing user code is a result, not an exception."""

    status: Literal["ok", "error", "timeout", "dead"]
    outputs: tuple[Output, ...]
    seconds: float
    truncated_bytes: int = 0
    """Bytes of output thrown away because the cell went over its output limit."""
    ended_by: str = ""
    """Of a dead kernel, why it ended: the limit that it went over, by name and value, or its signal or exit status."""

    @property
    def stdout(self) -> str:
        return "".join(o.text for o in self.outputs if o.kind == "stream" and o.name == "stdout")

    @property
    def error(self) -> Output | None:
        return next((o for o in self.outputs if o.kind == "error"), None)


# --- questions and answers -------------------------------------------------------------------

AnswerKind = Literal[
    "integer",
    "number",
    "percent",
    "money",
    "text",
    "category",
    "boolean",
    "date",
    "list",
    "set",
    "mapping",
    "not-applicable",
]


@dataclass(frozen=True)
class Contract:
    """What an answer must look like. Every question states it in words; every grader reads it."""

    kind: AnswerKind
    unit: str | None = None
    """For example "years" or "USD". A percent is on the 0-100 scale unless unit is "fraction"."""
    decimals: int | None = None
    """Numbers are given rounded to this many decimals; None means exact (integers) or not a number."""
    item: AnswerKind | None = None
    """Kind of the elements of a list or set, or of the values of a mapping."""
    key: AnswerKind | None = None
    """Kind of the keys of a mapping."""
    ordered: bool = True
    """For lists: whether order counts."""
    ties: str | None = None
    """How ties are broken, in words; None where no tie is possible."""
    case_sensitive: bool = False
    alternatives: tuple[str, ...] = ()
    """Other texts that are accepted as the same answer."""
    choices: tuple[str, ...] = ()
    """For a category: the labels to choose from; empty when the table tells them."""
    locale: str = "en"
    """Language tag for how numbers and dates are written: 1.234,5 is a number in "de", 03/04/2020 a date in "en-GB"."""
    in_sentence: bool = False
    """Whether the answer may stand in a sentence; otherwise it stands alone."""


@dataclass(frozen=True)
class Grade:
    """The verdict on one answer. `unscored` means that the grader could not tell; it is not `wrong`."""

    verdict: Literal["correct", "wrong", "unscored"]
    why: str
    """For wrong: value, sign, unit, rounding, order, missing, extra, kind or hedged; else a short phrase."""
    explanation: str
    """A sentence for a person."""


@dataclass(frozen=True)
class Premise:
    """What must hold of the tables, or the question has no one answer: that no two rows tie, for example."""

    setup: tuple[str, ...]
    """Python statements to run first."""
    expression: str
    """Python whose value is then True."""


@dataclass(frozen=True)
class Oracle:
    """The shortest list of cells known to compute an answer from the tables."""

    cells: tuple[str, ...]
    """Python source of each cell; the last expression of the last cell is the answer."""
    comments: tuple[str, ...]
    """One short sentence per cell: what it does and why."""
    source_cells: tuple[int, ...]
    """Indices, among the notebook's code cells, that the statements came from."""
    premises: tuple[Premise, ...] = ()
    """What the question takes for granted; asked again wherever it is asked of other tables."""


@dataclass(frozen=True)
class GateResult:
    """What one gate saw of one task."""

    gate: str
    passed: bool
    evidence_json: str
    """JSON: what the gate measured."""


@dataclass(frozen=True)
class Proof:
    """Which gates a task passed, with what each one saw."""

    gates: tuple[GateResult, ...]

    @property
    def passed(self) -> bool:
        return bool(self.gates) and all(gate.passed for gate in self.gates)


Split = Literal["train", "validation", "test"]

MODERN = "modern"
"""The kernel environment of this installation; a build may name others, with libraries of another era."""


@dataclass(frozen=True)
class Task:
    """A question about tables, with the answer that a program gives."""

    id: str
    question: str
    """Complete: names the tables, the steps and the contract in words."""
    contract: Contract
    answer_json: str
    """The answer as JSON; a mapping is a list of [key, value] pairs, a date an ISO text."""
    tables: tuple[Table, ...]
    level: int
    """1 (one operation) to 5, from the oracle's operations; 0 while not yet known."""
    family: str
    """The template that asked, for example "group-aggregate"."""
    provenance: Provenance
    notebook_id: str
    cell: int
    """Index among the notebook's code cells of the output that was asked about; -1 for a composed task."""
    oracle: Oracle | None
    proof: Proof = field(default=Proof(()))
    trivial: bool = False
    split: Split | None = None
    environment: str = ""
    """Versions of Python and the main libraries that proved it, for example "python 3.11, pandas 3.1.1"."""
    origin: Literal["notebook", "composed"] = "notebook"
    """Where the question came from: an output of the notebook, or a program composed over the tables' schema."""
    phrasings: tuple[str, ...] = ()
    """Other complete wordings of the same question, contract included."""
    operations: tuple[str, ...] = ()
    """What the oracle did to its tables when it ran, in order, such as "join" or "group": `level` counts them."""
    hints: tuple[str, ...] = ()
    """The information ladder, least first: columns needed, method in words, program without literals, program."""
    era: str = MODERN
    """Name of the kernel environment in which the oracle was proved."""
    twin_of: str = ""
    """Id of the task that this one re-issues on changed tables; empty for one on the tables as they are."""


# --- agent runs ------------------------------------------------------------------------------


@dataclass(frozen=True)
class ToolCall:
    """A call that the assistant made."""

    id: str
    name: str
    arguments_json: str


@dataclass(frozen=True)
class Message:
    """One chat message."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    reasoning: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    images: tuple[str, ...] = ()
    """Pictures that go with the text, as data URLs ("data:image/png;base64,…")."""


@dataclass(frozen=True)
class Usage:
    """What a model's turns took."""

    input_tokens: int = 0
    cached_tokens: int = 0
    """Of the input, what the provider had kept from an earlier request."""
    output_tokens: int = 0
    """Reasoning included."""
    reasoning_tokens: int = 0
    cost_usd: float | None = None
    """None where no price is known."""

    def __add__(self, other: "Usage") -> "Usage":
        known = [cost for cost in (self.cost_usd, other.cost_usd) if cost is not None]
        return Usage(
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            sum(known) if known else None,
        )


@dataclass(frozen=True)
class Step:
    """One turn of an agent: what it said, what it ran, what came back."""

    comment: str
    code: str | None
    """None for a turn that ran nothing: it gave the answer, or there was a problem with it."""
    result: CellResult | None
    seconds: float
    usage: Usage = field(default=Usage())
    problem: str = ""
    """Why the turn was of no use, for example "two calls at once"; empty for one that was."""
    edited: bool = False
    """Whether a person changed the code before it ran."""
    folded: int = 0
    """Messages whose content was left out of what the model was sent for this turn, as its window was full."""


Ending = Literal[
    "answered",
    "step limit",
    "token limit",
    "cost limit",
    "time limit",
    "kernel died",
    "model refused",
    "model failed",
    "gave up",
    "stopped",
]
"""Why a run ended. "gave up": too many turns of no use. "stopped": by a person. "model failed": the endpoint did, which
says nothing about the model's skill, and is never graded."""


@dataclass(frozen=True)
class Trace:
    """The one record of an agent run, exactly as it happened. Everything else is derived from it."""

    id: str
    task_id: str
    messages: tuple[Message, ...]
    steps: tuple[Step, ...]
    answer: str | None
    """The final answer's text, None when the run ended without one."""
    ending: Ending
    model: str
    """Name of the model; "oracle" when a proved program played the agent."""
    kernel: str
    """Kind and isolation of the kernel, for example "local, user namespaces"."""
    versions: Mapping[str, str]
    grade: Grade | None = None
    detail: str = ""
    """Of an ending that is not an answer, what was seen: the limit's value, the refusal's words, the error."""
    prompt: str = ""
    """Name of the system prompt."""
    sampling_json: str = "{}"
    """How the model was sampled, as JSON."""
    seconds: float = 0.0

    @property
    def usage(self) -> Usage:
        """Of all turns together."""
        return sum((step.usage for step in self.steps), Usage())


# --- what did not get through ------------------------------------------------------------------


@dataclass(frozen=True)
class Reject:
    """A record that a stage did not let through, with a reason that a person can act on."""

    stage: str
    record: str
    """Id of the record, or its path where it has no id yet."""
    reason: str
    """A short phrase from a fixed vocabulary, countable: for example "duplicate" or "not valid JSON"."""
    detail: str = ""
    """What was seen, for one record."""
    notebook: str = ""
    """Path of the notebook that the record came from, when known."""
    source: str = ""
    """Name of the source in which that path is."""

    @classmethod
    def of(cls, stage: str, record: str, reason: str, detail: str, origin: Provenance) -> "Reject":
        """A reject of a record that came from a notebook."""
        return cls(stage, record, reason, detail, origin.path, origin.source)
