"""From a dataset to rows: which traces, how the window cuts them, and datasets that cannot be trained on."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.core.errors import DatasetError, UsageError
from cellwright.core.records import read_shard, write_shard
from cellwright.core.types import Task
from cellwright.dataset.chat import ChatRow
from cellwright.dataset.files import TASKS, TRACES
from cellwright.training.fresh import make_tokenizer
from cellwright.training.inspecting import inspect_talk
from cellwright.training.recipe import DataConfig, FreshConfig
from cellwright.training.rows import NOT_TRAINED, Counts, fit, make_rows, read_talks, texts
from cellwright.training.templates import Encoded, encode, find_template, spans
from tests.training.small import small

pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")


@pytest.mark.parametrize(("window", "kept"), [(10, 10), (9, 8), (8, 8), (7, 4), (4, 4), (3, 0), (0, 0)])
def test_a_chat_is_cut_after_the_last_turn_that_fits(window: int, kept: int) -> None:
    """Never within a turn: what is trained ends as the model must learn to end."""
    trained = (False, False, True, True, False, False, True, True, False, False)
    assert fit(Encoded(tuple(range(10)), trained), window) == kept


def test_what_the_window_does_is_counted(dataset: Path) -> None:
    """Whole, cut, dropped and lost tokens add up, whatever the policy; labels are the tokens that are trained."""
    talks = [talk for side in read_talks(dataset, "non-thinking").values() for talk in side]
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks), 4096)
    template = find_template("qwen3-instruct", tokenizer)
    encoded = [encode(tokenizer, template, talk.messages, talk.tools) for talk in talks]
    sizes = sorted(len(chat.ids) for chat in encoded)
    first_turns = sorted(spans(chat.trained)[0][1] for chat in encoded)
    total = sum(sizes)
    # A window that the longest trace does not fit into, and one that one trace has not a single turn in.
    for window in (sizes[-1] - 1, first_turns[-1] - 1):
        cut = make_rows(talks, tokenizer, template, DataConfig(window=window))
        dropped = make_rows(talks, tokenizer, template, DataConfig(window=window, too_long="drop"))
        for rows in (cut, dropped):
            counts = rows.counts
            assert counts.whole + counts.cut + counts.dropped == len(talks)
            assert rows.lengths.tokens + counts.tokens_lost == total
            assert rows.lengths.rows == counts.whole + counts.cut
            assert rows.lengths.longest <= window
        assert cut.counts.whole == dropped.counts.whole < len(talks)
        assert dropped.counts.cut == 0
        for ids, labels in zip(*(cut.table[name].to_pylist() for name in ("input_ids", "labels")), strict=True):
            assert labels[-1] == ids[-1] or len(ids) in sizes  # A row that was cut ends with the end of a turn.
            assert {label for label, token in zip(labels, ids, strict=True) if label != token} == {NOT_TRAINED}
    with pytest.raises(UsageError, match=r"has \d+ tokens, more than the window of .* cut or drop"):
        make_rows(talks, tokenizer, template, DataConfig(window=sizes[-1] - 1, too_long="refuse"))
    whole = make_rows(talks, tokenizer, template, DataConfig(window=sizes[-1], too_long="refuse"))
    assert whole.counts == Counts(whole=len(talks))
    assert (whole.lengths.shortest, whole.lengths.longest) == (sizes[0], sizes[-1])


def test_inspection_shows_what_training_takes(dataset: Path) -> None:
    """Its pieces are the tokens and the mask of the row, and what is beyond the window is marked as such."""
    talks = read_talks(dataset, "thinking")["train"]
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks), 4096)
    template = find_template("qwen3-thinking", tokenizer)
    encoded = encode(tokenizer, template, talks[0].messages, talks[0].tools)
    window = spans(encoded.trained)[-1][1] - 1  # The last turn does not fit.
    recipe = small("template=qwen3-thinking", "data.rendering=thinking", f"data.window={window}")
    found = inspect_talk(talks[0], tokenizer, recipe)
    rows = make_rows(talks[:1], tokenizer, template, recipe.data)
    assert "".join("".join(piece.tokens) for piece in found.pieces) == tokenizer.decode(encoded.ids)
    assert found.count("trained") == rows.lengths.trained
    assert found.count("trained") + found.count("context") == rows.lengths.tokens
    assert found.count("truncated") == rows.counts.tokens_lost > 0
    assert found.pieces[-1].kind == "truncated"


def test_a_trace_with_a_turn_without_thinking_does_not_teach_thinking(dataset: Path) -> None:
    """It is dropped and counted: its empty thought would be trained."""
    talks = read_talks(dataset, "thinking")["train"][:2]
    bare = tuple({k: v for k, v in message.items() if k != "reasoning_content"} for message in talks[0].messages)
    tokenizer = make_tokenizer(FreshConfig(vocabulary=600), texts(talks), 4096)
    template = find_template("qwen3-thinking", tokenizer)
    rows = make_rows([replace(talks[0], messages=bare), talks[1]], tokenizer, template, DataConfig("thinking", 4096))
    assert rows.counts == Counts(whole=1, without_thinking=1)


def no_traces(folder: Path) -> None:
    (folder / TRACES).unlink()


def no_tasks(folder: Path) -> None:
    (folder / TASKS).unlink()


def nothing_to_train(folder: Path) -> None:
    rows = [replace(row, split="test") for row in read_shard(folder / TRACES, ChatRow)]
    write_shard(folder / TRACES, ChatRow, rows)
    write_shard(folder / TASKS, Task, [replace(task, split="test") for task in read_shard(folder / TASKS, Task)])


def other_side(folder: Path) -> None:
    first, *others = read_shard(folder / TRACES, ChatRow)
    write_shard(folder / TRACES, ChatRow, [replace(first, split="test"), *others])


def split_by_row(folder: Path) -> None:
    """As the original did: every other task, whatever its tables."""
    tasks = list(read_shard(folder / TASKS, Task))
    changed = [replace(task, split="test" if n % 2 else "train") for n, task in enumerate(tasks)]
    write_shard(folder / TASKS, Task, changed)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (no_traces, "holds no traces.parquet, so there is nothing to train on"),
        (no_tasks, "holds no tasks.parquet"),
        (nothing_to_train, "has no non-thinking traces in its train split"),
        (other_side, "is in split 'test', which its task is not"),
        (split_by_row, "is on two sides of the splits"),
    ],
)
def test_datasets_that_cannot_be_trained_on(
    spoil: Callable[[Path], None], said: str, dataset: Path, tmp_path: Path
) -> None:
    """Each is refused with what is wrong with it, a table on two sides of the splits among them."""
    for name in (TRACES, TASKS):
        shutil.copyfile(dataset / name, tmp_path / name)
    spoil(tmp_path)
    with pytest.raises(DatasetError) as caught:
        read_talks(tmp_path, "non-thinking")
    assert said in str(caught.value)
