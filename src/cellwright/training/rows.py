"""From a built dataset to what a trainer takes: tokens and labels, within the window, one side of the splits each.

Chats go to the template as Python objects, never through Arrow: Arrow gives every struct the fields of all, and the
nulls that it fills in would be trained (`{"code": …, "answer": null}`).
"""

import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from cellwright.core.errors import DatasetError, UsageError
from cellwright.core.types import Split
from cellwright.dataset.chat import ChatMessage, ChatRow, Rendering
from cellwright.dataset.files import TASKS, TRACES, load_traces
from cellwright.training.recipe import DataConfig
from cellwright.training.templates import Encoded, Template, check, encode, spans

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

NOT_TRAINED = -100
"""The label that PyTorch's cross entropy leaves out."""
_CHECKED_ROWS = 8


@dataclass(frozen=True)
class Talk:
    """A trace as a chat template takes it."""

    id: str
    messages: tuple[Mapping[str, Any], ...]
    tools: tuple[Mapping[str, Any], ...]

    @property
    def thinks(self) -> bool:
        """Whether every turn of the assistant has its thinking."""
        return all(message.get("reasoning_content") for message in self.messages if message["role"] == "assistant")


@dataclass(frozen=True)
class Lengths:
    """Tokens of the rows of a split, after they were cut."""

    rows: int
    shortest: int
    median: int
    p90: int
    p99: int
    longest: int
    tokens: int
    trained: int
    """Tokens that the model is taught to say."""


@dataclass(frozen=True)
class Counts:
    """What the window did."""

    whole: int = 0
    cut: int = 0
    """Rows that end after the last turn that fits."""
    dropped: int = 0
    """Rows of which not one turn fits, or all that are too long, as the recipe says."""
    without_thinking: int = 0
    """Rows dropped because a turn has no thinking, where thinking is trained."""
    tokens_lost: int = 0
    """Of cut and dropped rows."""


@dataclass(frozen=True)
class Rows:
    """One split, ready for a trainer: columns input_ids and labels."""

    table: pa.Table
    lengths: Lengths
    counts: Counts


def read_talks(folder: Path, rendering: Rendering) -> dict[Split, list[Talk]]:
    """The traces of a built dataset by split. Raises DatasetError where there are none to train on."""
    if not (folder / TRACES).exists():
        raise DatasetError(
            f"{folder} holds no {TRACES}, so there is nothing to train on: "
            "is it the --out folder of a finished `cellwright build`?"
        )
    rows = [row for row in load_traces(folder) if row.rendering == rendering and row.ending == "answered"]
    check_sides(folder, rows)
    talks: dict[Split, list[Talk]] = {"train": [], "validation": [], "test": []}
    for row in rows:
        talks[row.split].append(as_talk(row))  # type: ignore[index]  # a Split, as check_sides saw
    if not talks["train"]:
        raise DatasetError(f"{folder / TRACES} has no {rendering} traces in its train split: nothing to train on")
    return talks


def check_sides(folder: Path, rows: Sequence[ChatRow]) -> None:
    """Splits go by tables. Raises DatasetError for a table on two sides, and a trace on another side than its task."""
    if not (folder / TASKS).exists():
        raise DatasetError(f"{folder} holds no {TASKS}, which tells the tables of each trace: splits cannot be checked")
    side_of_task: dict[str, str] = {}
    side_of_table: dict[str, str] = {}
    for task in pq.read_table(folder / TASKS, columns=["id", "split", "tables"]).to_pylist():
        side_of_task[task["id"]] = task["split"]
        for table in task["tables"]:
            if side_of_table.setdefault(table["sha256"], task["split"]) != task["split"]:
                raise DatasetError(
                    f"table {table['name']} is on two sides of the splits of {folder}: what is measured would be "
                    "memory. Build the dataset again, which splits by tables"
                )
    for row in rows:
        if side_of_task.get(row.task_id) != row.split:
            raise DatasetError(f"trace {row.id} in {folder} is in split {row.split!r}, which its task is not")


def as_talk(row: ChatRow) -> Talk:
    """A row of traces.parquet as Python objects, without the fields that are null."""
    return Talk(row.id, tuple(_message(message) for message in row.messages), tuple(json.loads(row.tools)))


def _message(message: ChatMessage) -> Mapping[str, Any]:
    found: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.reasoning_content is not None:
        found["reasoning_content"] = message.reasoning_content
    if message.tool_call_id is not None:
        found["tool_call_id"] = message.tool_call_id
    if message.tool_calls is not None:
        found["tool_calls"] = [
            {
                "id": call.id,
                "type": call.type,
                "function": {"name": call.function.name, "arguments": json.loads(call.function.arguments)},
            }
            for call in message.tool_calls
        ]
    return found


def fit(encoded: Encoded, window: int) -> int:
    """How many tokens of a chat stay: all that fit, else up to the end of the last turn that fits, else none."""
    if len(encoded.ids) <= window:
        return len(encoded.ids)
    return max((stop for _, stop in spans(encoded.trained) if stop <= window), default=0)


def make_rows(
    talks: Sequence[Talk], tokenizer: "PreTrainedTokenizerBase", template: Template, data: DataConfig
) -> Rows:
    """Encode a split. Raises UsageError where the template does not fit, and for a trace too long if so told."""
    fitting = [talk for talk in talks if talk.thinks or data.rendering != "thinking"]
    for talk in fitting[:_CHECKED_ROWS]:
        check(tokenizer, template, talk.messages, talk.tools)
    columns = _Columns()
    whole = cut = dropped = lost = 0
    for talk in fitting:
        encoded = encode(tokenizer, template, talk.messages, talk.tools)
        total, kept = len(encoded.ids), fit(encoded, data.window)
        if kept < total and data.too_long != "cut":
            _refuse(talk.id, total, data)
            kept = 0
        lost += total - kept
        whole, cut, dropped = whole + (kept == total), cut + (0 < kept < total), dropped + (not kept)
        if kept:
            columns.add(encoded, kept)
    return Rows(columns.table(), columns.measure(), Counts(whole, cut, dropped, len(talks) - len(fitting), lost))


def _refuse(name: str, tokens: int, data: DataConfig) -> None:
    if data.too_long == "refuse":
        raise UsageError(
            f"trace {name} has {tokens} tokens, more than the window of {data.window}. Raise data.window, or say by "
            "data.too_long what becomes of such traces: cut or drop"
        )


class _Columns:
    """Tokens and labels of rows under way: four bytes each, where a Python list would take tens."""

    def __init__(self) -> None:
        self._ids, self._labels = array("i"), array("i")
        self._ends = array("q", [0])

    def add(self, encoded: Encoded, kept: int) -> None:
        self._ids.extend(encoded.ids[:kept])
        pairs = zip(encoded.ids[:kept], encoded.trained, strict=False)
        self._labels.extend(token if trained else NOT_TRAINED for token, trained in pairs)
        self._ends.append(len(self._ids))

    def table(self) -> pa.Table:
        ends = pa.array(self._ends, pa.int64())
        return pa.table(
            {
                "input_ids": pa.LargeListArray.from_arrays(ends, pa.array(self._ids, pa.int32())),
                "labels": pa.LargeListArray.from_arrays(ends, pa.array(self._labels, pa.int32())),
            }
        )

    def measure(self) -> Lengths:
        sizes = sorted(after - before for before, after in zip(self._ends, self._ends[1:], strict=False))
        trained = sum(label != NOT_TRAINED for label in self._labels)
        least, median, p90, p99, most = (_quantile(sizes, share) for share in (0.0, 0.5, 0.9, 0.99, 1.0))
        return Lengths(len(sizes), least, median, p90, p99, most, len(self._ids), trained)


def _quantile(ordered: Sequence[int], share: float) -> int:
    """The nearest of the values; 0 of none."""
    return ordered[round(share * (len(ordered) - 1))] if ordered else 0


def texts(talks: Iterable[Talk]) -> Iterable[str]:
    """What a tokenizer is trained on: each message once, with its calls as they are written."""
    for talk in talks:
        yield from (json.dumps(tool, ensure_ascii=False) for tool in talk.tools)
        for message in talk.messages:
            yield message["content"]
            yield message.get("reasoning_content", "")
            for call in message.get("tool_calls", ()):
                yield json.dumps(call["function"], ensure_ascii=False)
