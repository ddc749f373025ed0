"""The built-in model: what runs it, what it refuses, and what it does with a question of its families."""

import asyncio
import json
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cellwright.agent.tools import tools_json
from cellwright.core.errors import ContextOverflow, ModelMisused
from cellwright.core.types import Message, ToolCall
from cellwright.models import Delta, Reply, Request, Sampling
from cellwright.models.builtin import FOLDER, BuiltInModel, chat, why_not
from cellwright.models.builtin.model import TOKENIZER, Loaded
from cellwright.models.builtin.network import CONFIG, WEIGHTS, Network, Reading, Shape, load_weights, save_weights
from cellwright.models.builtin.synonyms import in_its_words
from cellwright.models.builtin.tokens import Tokenizer

MOST_BYTES = 8_000_000
QUESTION = "How many rows have city equal to Oslo?"
PROMPT = f"{QUESTION}\n\nFiles:\n- sales.csv (1.2 kB)"


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return Loaded.of(FOLDER)


def reply(model: BuiltInModel, *messages: Message, sampling: Sampling | None = None) -> Reply:
    request = Request(messages, tools_json(thinking=False), sampling or Sampling())
    return asyncio.run(model.reply(request))


def test_it_is_small() -> None:
    """All its files together are within eight megabytes."""
    assert sum(file.stat().st_size for file in FOLDER.iterdir()) < MOST_BYTES


def test_it_looks_before_it_answers(loaded: Loaded) -> None:
    """A question in plain words gets a cell that loads the file and shows its columns; the pieces make the turn."""
    heard: list[Delta] = []
    request = Request((Message("system", "S"), Message("user", PROMPT)), tools_json(thinking=False))
    found = asyncio.run(BuiltInModel(loaded).reply(request, heard.append))
    (call,) = found.message.tool_calls
    assert call.name == "execute_code"
    assert json.loads(call.arguments_json)["code"].split("\n") == [
        "import pandas as pd",
        "df = pd.read_csv('sales.csv')",
        "print(list(df.columns))",
    ]
    assert (found.finish, found.usage.input_tokens > 20, found.usage.output_tokens > 5) == ("stop", True, True)
    assert [delta.text for delta in heard] == [call.name, call.arguments_json]


def test_it_says_what_it_saw(loaded: Loaded) -> None:
    """The answer is the last output, figure by figure."""
    calls = (
        ToolCall("c", "execute_code", json.dumps({"code": "print((df['city'] == 'Oslo').sum())", "comment": "x"})),
    )
    chat_so_far = (Message("user", PROMPT), Message("assistant", "", tool_calls=calls), Message("tool", "4172"))
    (call,) = reply(BuiltInModel(loaded), *chat_so_far).message.tool_calls
    assert (call.name, json.loads(call.arguments_json)) == ("final_answer", {"answer": "4172"})


def test_a_limit_cuts_the_reply(loaded: Loaded) -> None:
    """So many tokens and no more, and it is said; a chat without room is refused."""
    found = reply(BuiltInModel(loaded), Message("user", PROMPT), sampling=Sampling(max_tokens=3))
    assert (found.finish, found.usage.output_tokens) == ("length", 3)
    with pytest.raises(ContextOverflow):
        reply(BuiltInModel(loaded), Message("user", f"How many {'x' * 3000}{PROMPT}"))


REFUSED = {
    "Plot price by city": "'Plot'",
    "Why did sales fall?": "'Why'",
    "What is the correlation of price and size?": "'correlation'",
    "What is the mean price per city?": "'per'",
    "What is the mean of price where city is Oslo and size is 3?": "'and'",
    "What is the share of rows with city Oslo?": "'share'",
    "Who wrote this?": "nothing that it can work out",
    "": "nothing that it can work out",
}


@pytest.mark.parametrize("question", REFUSED)
def test_what_is_beyond_it_is_refused(loaded: Loaded, question: str) -> None:
    """In plain words, with what it can do, before anything runs."""
    found = reply(BuiltInModel(loaded), Message("user", f"{question}\n\nFiles:\n- sales.csv (1.2 kB)"))
    assert found.finish == "refused"
    assert REFUSED[question] in found.message.content
    assert "What is the mean of price?" in found.message.content


@pytest.mark.parametrize("files", [[], ["a.csv", "b.csv"], ["a.xlsx"]], ids=str)
def test_other_files_than_one_csv_are_refused(files: list[str]) -> None:
    """None, two, or one of another kind."""
    assert "reads one CSV file" in why_not(QUESTION, files)
    assert why_not(QUESTION, ["a.csv"]) == ""


def test_names_in_quotes_are_no_words_of_the_question() -> None:
    """A column may be called by a word that would be refused."""
    assert why_not('What is the mean of `growth` where `plot` is "why"?', ["a.csv"]) == ""


def test_a_further_question_a_turn_of_no_use_and_a_long_run_are_refused(loaded: Loaded) -> None:
    """It takes one question, and gives up where it has said something else than a call, and after some cells."""
    model = BuiltInModel(loaded)
    done = Message("assistant", "", tool_calls=(ToolCall("c", "final_answer", '{"answer": "3"}'),))
    again = reply(model, Message("user", PROMPT), done, Message("user", "How many rows?"))
    assert (again.finish, "one question at a time" in again.message.content) == ("refused", True)
    lost = reply(model, Message("user", PROMPT), Message("assistant", "x"), Message("user", "Call exactly one tool."))
    assert (lost.finish, "it lost the thread" in lost.message.content) == ("refused", True)
    long = reply(model, Message("user", PROMPT), *[Message("tool", "x")] * 6)
    assert (long.finish, "in 6 cells" in long.message.content) == ("refused", True)
    twice = reply(model, Message("user", PROMPT), *[Message("tool", "…\nKeyError: 'town'")] * 2)
    assert (twice.finish, "failed twice with KeyError: 'town'" in twice.message.content) == ("refused", True)


@given(st.text(max_size=40))
@settings(max_examples=60, deadline=None)
def test_every_text_comes_back(text: str) -> None:
    """What is encoded decodes to itself, in any script."""
    tokenizer = _tokenizer()
    whole = text.encode("utf-8", "replace").decode()
    assert tokenizer.decode(tokenizer.encode(whole)) == whole


@cache
def _tokenizer() -> Tokenizer:
    return Tokenizer.load(FOLDER / TOKENIZER)


def test_the_template_shows_the_last_line_of_an_output_and_no_comment() -> None:
    """Of a call its one argument, of an output its last line, of the system prompt and the tools nothing."""
    calls = (ToolCall("c", "execute_code", json.dumps({"code": 'print("é")', "comment": "Look."})),)
    said = [Message("system", "S"), Message("user", "Q"), Message("assistant", "", tool_calls=calls)]
    assert chat.render([*said, Message("tool", "a\nKeyError: 'b'")], asks=True) == (
        "\n<|im_start|>user\nQ<|im_end|>"
        '\n<|im_start|>assistant\n<tool_call>\n{"name": "execute_code", "arguments": {"code": "print(\\"é\\")"}}\n'
        "</tool_call><|im_end|>"
        "\n<|im_start|>tool\nKeyError: 'b'<|im_end|>\n<|im_start|>assistant\n"
    )


def test_weights_are_written_and_read(tmp_path: Path) -> None:
    """What is saved is loaded, within the precision of 16 bits, and runs; a text may be read in parts."""
    import numpy as np  # noqa: PLC0415

    shape = Shape(40, hidden=16, layers=2, heads=2, key_heads=1, head=8, between=24, window=32)
    rng = np.random.default_rng(0)
    weights = {name: rng.normal(size=size).astype(np.float32) for name, size in shape.sizes().items()}
    save_weights(weights, tmp_path / WEIGHTS)
    found = load_weights(tmp_path / WEIGHTS)
    assert all(np.allclose(weights[name], found[name], atol=2e-3) for name in weights)
    network = Network(shape, found)
    whole, parts = Reading(network), Reading(network)
    parts.read([1, 2])
    assert np.allclose(whole.read([1, 2, 3, 4]), parts.read([3, 4]), atol=1e-4)


BROKEN = {
    CONFIG: ('{"architectures": ["Other"], "tie_word_embeddings": true}', "not of Qwen3ForCausalLM"),
    WEIGHTS: ("short", "cannot be read as weights"),
    TOKENIZER: ("{}", "no tokenizer that can be read here"),
}


@pytest.mark.parametrize("file", BROKEN)
def test_a_broken_folder_is_named(tmp_path: Path, file: str) -> None:
    """The file that is wrong, and how."""
    for part in FOLDER.iterdir():
        (tmp_path / part.name).write_bytes(part.read_bytes())
    content, words = BROKEN[file]
    (tmp_path / file).write_text(content)
    with pytest.raises(ModelMisused, match=words):
        Loaded.of(tmp_path)


def test_weights_of_another_size_are_refused(loaded: Loaded) -> None:
    """The name of the weight that does not fit."""
    with pytest.raises(ModelMisused, match=r"model\.embed_tokens\.weight"):
        Network(Shape(7), loaded.network.weights)


@pytest.mark.parametrize(
    ("question", "columns", "taught"),
    [
        ("What's the avg tip?", ("tip",), "what is the mean tip?"),
        ("biggest total_bill please", ("total_bill",), "highest total_bill"),
        ("How many different days are there?", ("day",), "what is the number of distinct values of days are there?"),
        ("How many records have city equal to Max?", ("city",), "How many rows have city equal to Max?"),
        ('How many records have city equal to "Max"?', ("city",), 'How many rows have city equal to "Max"?'),
        ("mean of max_speed where `min` is above 3", ("max_speed", "min"), "mean of max_speed where `min` is above 3"),
        ("What is the difference?", (), "What is the difference?"),
        ("avg of a\n\nFiles:\n- data/avg.csv (1 kB)", ("a",), "mean of a\n\nFiles:\n- data/avg.csv (1 kB)"),
    ],
)
def test_other_words_are_put_into_taught_ones(question: str, columns: tuple[str, ...], taught: str) -> None:
    """But for names of columns, what stands in quotes, and files."""
    assert in_its_words(question, columns) == taught
