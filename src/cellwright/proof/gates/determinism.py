"""Determinism: the answer does not depend on what nobody states: threads, clock, order of rows, types in memory.

Other seeds and hash seeds are tried by re-execution, whose kernels have each their own. A program that *fails* under
conditions that were never promised to it (another way to store text) says nothing; one that gives another value does.
"""

import json
import re
from collections.abc import Sequence

from cellwright.core.types import GateResult
from cellwright.proof.gates.asking import asked
from cellwright.proof.gates.protocol import Subject, Trial, Tried, result, shown
from cellwright.proof.judge import Circumstances, Program
from cellwright.proof.tables import Change
from cellwright.proof.values import Snapshot, python_value

NAME = "determinism"

# Words by which a question says that it means the order in which rows stand in the file.
_ORDER = re.compile(
    r"\b(first|last|earlier|later|previous|next|consecutive|cumulative|running|rolling|moving|shift\w*|row before|"
    r"row after|\d+(st|nd|rd|th)|position|index|lag\w*|forward|backward|interpolat\w+ (missing|between rows)|"
    r"top of the \w+)\b",
    re.IGNORECASE,
)
_ORDER_OF_FILE = re.compile(
    r"\b(in the order of the file|order of (the )?(rows|appearance|file)|row number|(first|last) (\d+ )?data rows?|"
    r"random_state|(random )?seed|split(?! at))\b",
    re.IGNORECASE,
)
# In a sorted table the first rows are those of its own order.
_SORTED = re.compile(r"\bsort(ed|ing)? (the rows )?by\b|\bordered by\b|(de|a)scending order", re.IGNORECASE)
# The 95th percentile, the first character, the highest first: other orders than that of the rows.
_OTHER_ORDER = re.compile(
    r"(the )?column[^.?]*in order,|skipping (its|the) (first|last) (\d+ |\w+ )?lines?|in that order|in any order|"
    r"\d+(st|nd|rd|th) percentile( \(linear interpolation\))?|"
    r"\b(\w+est|frequent|common|most|least|alphabetically) first\b|"
    r"\b(its|the) (first|last) day( of (a|the|each|every) \w+)?\b|\b(first|last) (included|left out)\b|"
    r"\b(first|last|\d+(st|nd|rd|th))( \d+)?( to the \d+(st|nd|rd|th))? "
    r"(of the parts?|parts?|characters?|letters?|words?|digits?|sample|table|condition)\b|"
    r"\bsplit at( the (first|last))?\b|\bmatches first\b",
    re.IGNORECASE,
)
_THREADS = "import threadpoolctl\n__cellwright_limit__ = threadpoolctl.threadpool_limits({count})"
_ANOTHER_DAY = Circumstances(seed=411, days_ahead=411)
_NUMPYS_TODAY = re.compile(r"(datetime64\()(['\"])(now|today)\2")
"""numpy asks the system for the day, and cannot be told another one."""
_RANDOM = re.compile(r"random|\bsample\(|shuffle|train_test_split|KMeans|Forest|Boost|choice\(")
_SEEDED = "another seed"
_SEEDS = tuple(Circumstances(seed=97 * number) for number in range(1, 7))
_FLOAT32 = """
def __cellwright_float32__():
    import functools, pandas
    def narrow(read):
        @functools.wraps(read)
        def reader(*arguments, **named):
            frame = read(*arguments, **named)
            if not isinstance(frame, pandas.DataFrame): return frame
            wide = [c for c, kind in frame.dtypes.items() if str(kind) == 'float64']
            return frame.astype(dict.fromkeys(wide, 'float32')) if frame.columns.is_unique else frame
        return reader
    for name in ('read_csv', 'read_table', 'read_excel', 'read_json', 'read_parquet', 'read_feather', 'read_pickle'):
        setattr(pandas, name, narrow(getattr(pandas, name)))
__cellwright_float32__()
"""
_TEXT_AS_OBJECTS = "import pandas as __pd\n__pd.options.future.infer_string = not __pd.options.future.infer_string"
_NULLABLE = """
def __cellwright_nullable__():
    import functools, pandas
    def nullable(read):
        @functools.wraps(read)
        def reader(*arguments, **named):
            return read(*arguments, **{'dtype_backend': 'numpy_nullable', **named})
        return reader
    for name in ('read_csv', 'read_table', 'read_excel', 'read_json', 'read_parquet', 'read_feather'):
        setattr(pandas, name, nullable(getattr(pandas, name)))
__cellwright_nullable__()
"""
_FEW_DIGITS = 1e-3
"""Relative: what float32 (seven digits) may do to a sum that is well-conditioned."""


class Determinism:
    """One run for each condition; two other orders of rows, one of them the reverse, which turns every tie round."""

    name = NAME

    def trials(self, subject: Subject) -> Sequence[Trial]:
        units, expression = subject.program.units, subject.program.expression
        found = [
            Trial(label, Program((prelude, *units), expression))
            for label, prelude in (
                ("1 thread", _THREADS.format(count=1)),
                ("2 threads", _THREADS.format(count=2)),
                ("float32", _FLOAT32),
                ("text as objects", _TEXT_AS_OBJECTS),
                ("nullable types", _NULLABLE),
            )
        ]
        if _RANDOM.search(subject.reading.source):
            found += [Trial(_SEEDED, subject.program, circumstances=seed) for seed in _SEEDS]
        later = [_NUMPYS_TODAY.sub(r"\1\g<2>2031-05-17\2", text) for text in (*units, expression or "None")]
        found.append(Trial("another day", Program(tuple(later[:-1]), later[-1]), circumstances=_ANOTHER_DAY))
        tables = subject.tables
        if tables and not order_is_stated(_asked(subject)):
            backwards = [Change(table, "reorder", reverse=True) for table in tables]
            mixed = [Change(table, "reorder", seed=5) for table in tables]
            found += [subject.changed("rows in reverse", *backwards), subject.changed("rows mixed", *mixed)]
        return found

    def verdict(self, subject: Subject, tried: Sequence[Tried]) -> GateResult:
        seen: dict[str, str] = {}
        reason = ""
        for trial, run in tried:
            if trial.variant and (why := subject.unmade.get(trial.variant.name)):
                seen[trial.label] = f"not made: {why}"
                reason = reason or "its tables could not be changed"
                continue
            if run.value is None and run.unit == 0 and len(trial.program.units) > len(subject.program.units):
                seen[trial.label] = f"not tried: {shown(run)}"  # the statement that makes the condition failed
                continue
            outcome = subject.outcome(run, on_changed_tables=trial.variant is not None)
            if outcome == "moved" and trial.label == "float32" and _nearly(subject, run.value):
                outcome = "same"
            moved = outcome == "moved" or (outcome == "fails" and trial.label in ("another day", "rows mixed"))
            if seen.get(trial.label, "same") == "same":
                seen[trial.label] = f"{outcome}: {shown(run)}" if outcome != "same" else "same"
            if moved:
                reason = reason or _REASONS.get(trial.label, f"depends on {trial.label}")
        if order_is_stated(_asked(subject)):
            seen["order of rows"] = "the question speaks of it"
        return result(NAME, reason, conditions=seen)


_REASONS = {
    _SEEDED: "depends on the seed",
    "another day": "depends on the clock",
    "rows in reverse": "depends on the order of rows",
    "rows mixed": "depends on the order of rows",
    "1 thread": "depends on the number of threads",
    "2 threads": "depends on the number of threads",
    "float32": "depends on more than seven digits",
    "text as objects": "depends on how text is stored",
    "nullable types": "depends on how missing values are stored",
}


def _asked(subject: Subject) -> str:
    return asked(subject.task.question, subject.task.contract)


def order_is_stated(said: str) -> bool:
    """Whether what a question says (`asked`) speaks of the order in which rows stand in their file."""
    said = _OTHER_ORDER.sub("", said)
    return bool(_ORDER_OF_FILE.search(said) or (_ORDER.search(said) and not _SORTED.search(said)))


def _nearly(subject: Subject, snapshot: Snapshot | None) -> bool:
    """Whether an answer in float32 is the same but for digits that float32 has not."""
    contract = subject.task.contract
    if snapshot is None or not {contract.kind, contract.item} & {"number", "percent", "money"}:
        return False
    try:
        found = python_value(snapshot)
    except ValueError:
        return False
    if isinstance(found, dict):
        found = list(found.items())
    return _close(found, json.loads(subject.task.answer_json), contract.decimals or 0)


def _close(found: object, expected: object, decimals: int) -> bool:
    if isinstance(found, (list, tuple)) and isinstance(expected, list):
        return len(found) == len(expected) and all(
            _close(*pair, decimals) for pair in zip(found, expected, strict=True)
        )
    if isinstance(found, (int, float)) and isinstance(expected, (int, float)):
        return abs(found - expected) <= _FEW_DIGITS * abs(expected) + float(10**-decimals)
    return found == expected
