"""The settings of a build, from defaults, one YAML file and `--set key=value`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cellwright.core.config import AtLeastOne, Count, Seconds, Share, load_settings
from cellwright.kernels import Limits
from cellwright.proof.execution import ExecutionLimits


@dataclass(frozen=True)
class RepairConfig:
    """How notebooks that fail are repaired."""

    rules: bool = True
    """Whether they are repaired at all."""
    model: str = ""
    """Model that is asked where the rules know nothing; empty asks none."""
    url: str = ""
    """The endpoint that serves it, for example "http://localhost:8000/v1"; needed with `model`. Its key stands in the
    environment variable OPENAI_API_KEY."""


@dataclass(frozen=True)
class SliceConfig:
    """How outputs are sliced."""

    outputs_per_notebook: Count = 60
    """Outputs looked at in one notebook, in order; those beyond are rejected as such."""
    program_timeout_s: Seconds = 20.0
    """Seconds for one candidate program."""
    notebook_s: Seconds = 240.0
    """Seconds for all outputs of one notebook."""


@dataclass(frozen=True)
class AskConfig:
    """How many questions are asked."""

    questions_per_output: Count = 2
    """Questions from one output at the most."""
    questions_per_notebook: Count = 24
    """Questions from one notebook at the most; outputs take turns."""


@dataclass(frozen=True)
class PortConfig:
    """What becomes of the tasks of notebooks that ran in an environment of another year."""

    keep: bool = False
    """Whether tasks stay, with the name of their environment, that the modern one does not answer in the same way."""


@dataclass(frozen=True)
class ComposeConfig:
    """How much is composed over the tables themselves."""

    tasks_per_table: Count = 12
    """Tasks over one table at the most, and up to twice as many over each join and each stack of tables, where the
    shares below need them; 0 composes nothing."""
    join_share: Share = 0.2
    """Wanted share of the tasks that need a join, as far as the tables give them."""
    several_files_share: Share = 0.3
    """Wanted share of the tasks that need more than one file, joins among them, as far as the tables give them."""
    most_combinations: Count = 3
    """Joins, and stacks, of one group's tables that count in full; more of them share."""
    level_shares: tuple[Share, Share, Share, Share, Share] = (0.1, 0.25, 0.3, 0.2, 0.15)
    """Wanted shares of the levels 1 to 5, as far as the tables give them."""
    families: tuple[str, ...] = ()
    """Families to compose, by the names in `proof.compose.families`; empty for all."""
    seed: int = 0
    """Another seed composes other programs."""


@dataclass(frozen=True)
class ScreenConfig:
    """What may not be answered without the data, or known from elsewhere."""

    guessers_share: Share = 0.02
    """Share of the tasks that one guesser without the data may be right about; two tasks may always stay."""
    keep_told: bool = True
    """Whether tasks stay whose answer stands in the notebook's own text, which nobody sees who gets the question."""
    known_benchmarks: bool = True
    """Whether the fingerprints of DABStep and DABench that ship with Cellwright are used."""
    fingerprints: tuple[str, ...] = ()
    """Files of `cellwright fingerprint`: benchmarks that the dataset must not hold parts of."""
    same_columns: bool = True
    """Whether a table with the columns of a benchmark's table counts as the benchmark's, whatever its rows."""
    ngram_share: Share = 0.5
    """Share of a question's runs of five words, from which on it is a benchmark's."""


@dataclass(frozen=True)
class ProveConfig:
    """How answers are proved."""

    runs: AtLeastOne = 3
    """Runs in fresh kernels, each with seeds of its own."""
    program_timeout_s: Seconds = 60.0
    """Seconds for one run of one oracle."""
    gates: bool = True
    """Whether tasks go through more gates than re-execution: wording, sanity, first rows, ambiguity and so on."""
    most_cells: AtLeastOne = 60_000
    """Tables of more cells (rows times columns) are changed, by the gates that change tables, on a sample of rows."""


@dataclass(frozen=True)
class TwinConfig:
    """Tasks re-issued on changed tables."""

    per_task: Count = 0
    """Twins of each proved task; 0 makes none."""
    tries: AtLeastOne = 4
    """Tries for one twin before it is given up, each of which changes more than the one before."""
    most_bytes: Count = 20_000_000
    """Larger tables are not re-issued."""


@dataclass(frozen=True)
class CurateConfig:
    """What is kept, and on which side."""

    keep_trivial: bool = False
    """Whether tasks whose answer stands in the first rows of a table are kept, marked, or dropped."""
    max_trace_chars: AtLeastOne = 60_000
    """Characters of all messages of one trace."""
    test_share: Share = 0.1
    """Share of the groups of tables that go to the test split."""
    validation_share: Share = 0.1
    """Share of the groups of tables that go to the validation split."""


@dataclass(frozen=True)
class BuildConfig:
    """All settings of `cellwright build`."""

    trusted: bool = False
    """Run notebooks without a sandbox. Only for notebooks whose authors you trust."""
    workers: AtLeastOne = 2
    """Kernels alive at once."""
    environments: tuple[str, ...] = ()
    """Kernel environments of other years to try besides the modern one, which is this installation: NAME of one that
    `cellwright environment` installed, or NAME=PATH of any Python that has ipykernel."""
    limits: Limits = field(default_factory=Limits)
    """What one kernel may use."""
    execute: ExecutionLimits = field(default_factory=ExecutionLimits)
    repair: RepairConfig = field(default_factory=RepairConfig)
    slices: SliceConfig = field(default_factory=SliceConfig)
    ask: AskConfig = field(default_factory=AskConfig)
    port: PortConfig = field(default_factory=PortConfig)
    compose: ComposeConfig = field(default_factory=ComposeConfig)
    screen: ScreenConfig = field(default_factory=ScreenConfig)
    prove: ProveConfig = field(default_factory=ProveConfig)
    twins: TwinConfig = field(default_factory=TwinConfig)
    curate: CurateConfig = field(default_factory=CurateConfig)


def load_config(path: Path | None, changes: Sequence[str], **flags: Any) -> BuildConfig:
    """Defaults, then the file, then `a.b=value` changes, then flags. Raises ConfigError with the nearest key."""
    return load_settings(BuildConfig, path, changes, flags)
