"""Training from random weights, and the three that must agree: ours in PyTorch, ours in numpy, transformers'.

Needs PyTorch and transformers, which `make test` does not install.
"""

import json
from pathlib import Path

import pytest

from cellwright.core.types import Message
from cellwright.models.builtin import chat, network
from cellwright.models.builtin.model import BuiltInModel, Loaded
from cellwright.training.scratch.encoding import encode, messages
from cellwright.training.scratch.fitting import Fit, Progress
from cellwright.training.scratch.school import RECORD, Plan, go_on, school

from .made import lessons

torch = pytest.importorskip("torch", reason="NOT TESTED HERE: training; run `make test-train`")
transformers = pytest.importorskip("transformers", reason="NOT TESTED HERE: training; run `make test-train`")

STEPS = 49


@pytest.fixture(scope="module")
def told() -> list[Progress]:
    return []


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, told: list[Progress]) -> Path:
    """A model after a few steps."""
    path = tmp_path_factory.mktemp("school")
    school(lessons()[0], Plan(60, Fit(STEPS, batch=16, warm_up=4)), path, told.append)
    return path


def test_loss_falls(folder: Path, told: list[Progress]) -> None:
    """A few steps on sixty lessons take the loss to less than a third of that of guessing."""
    assert told == []  # Nothing is told before the fiftieth step.
    loaded = Loaded.of(folder)
    losses = []
    for lesson in lessons()[0][:8]:
        sample = encode(lesson, loaded.tokenizer)
        reading = network.Reading(loaded.network)
        for number, following, mark in zip(sample.numbers, sample.numbers[1:], sample.learnt[1:], strict=False):
            logits = torch.tensor(reading.read([number]))
            if mark:
                losses.append(float(torch.nn.functional.cross_entropy(logits, torch.tensor(following))))
    assert sum(losses) / len(losses) < 6.46 / 3


def test_going_on_begins_where_it_was(folder: Path, tmp_path: Path) -> None:
    """Without a step the weights are those that were trained; with some they are others, of the same tokenizer."""
    before = network.load_weights(folder / network.WEIGHTS)
    go_on(folder, lessons()[0], Plan(60, Fit(0)), tmp_path / "same", lambda told: None)
    same = network.load_weights(tmp_path / "same" / network.WEIGHTS)
    assert all((same[name] == weight).all() for name, weight in before.items())
    go_on(folder, lessons()[0], Plan(60, Fit(2, batch=8, warm_up=1)), tmp_path / "further", lambda told: None)
    further = network.load_weights(tmp_path / "further" / network.WEIGHTS)
    assert not any((further[name] == weight).all() for name, weight in before.items() if weight.ndim == 2)
    assert (tmp_path / "further" / "tokenizer.json").read_bytes() == (folder / "tokenizer.json").read_bytes()


def test_numpy_and_transformers_say_the_same(folder: Path) -> None:
    """Logits are equal for whole texts and token by token, and so is what is said greedily."""
    loaded = Loaded.of(folder)
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    numbers = loaded.tokenizer.encode(chat.render(messages(lessons()[0][0])[:1], asks=True))
    with torch.inference_mode():
        wanted = model(input_ids=torch.tensor([numbers])).logits[0, -1]
        said = model.generate(torch.tensor([numbers]), max_new_tokens=40, do_sample=False)[0, len(numbers) :].tolist()
    whole = network.Reading(loaded.network).read(numbers)
    reading = network.Reading(loaded.network)
    for number in numbers:
        one_by_one = reading.read([number])
    for found in (whole, one_by_one):
        assert torch.allclose(torch.tensor(found), wanted, atol=1e-3)
    end = loaded.tokenizer.id_of(chat.END)
    assert list(network.greedy(loaded.network, numbers, end, 40)) == said


def test_the_tokenizer_and_the_template_are_those_of_transformers(folder: Path) -> None:
    """The same numbers for any text, the same chat, and the same mark on what the model says."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    ours = Loaded.of(folder).tokenizer
    for text in (
        "Größe in €, naïve 12.50",
        " \t\n<tool_call> x",
        '{"a": "\\n"}',
        "mean of `x`?\n\nFiles:\n- a.csv (1 kB)",
    ):
        assert tokenizer(text, add_special_tokens=False)["input_ids"] == ours.encode(text)
        assert ours.decode(ours.encode(text)) == text
    lesson = next(one for one in lessons()[0] if not any(turn.is_slip for turn in one.turns))
    plain = [_plain(message) for message in messages(lesson)]
    marked = tokenizer.apply_chat_template(plain, return_dict=True, return_assistant_tokens_mask=True)
    sample = encode(lesson, ours)
    assert marked["input_ids"] == list(sample.numbers)
    assert marked["assistant_masks"] == [int(mark) for mark in sample.learnt]


def _plain(message: Message) -> dict[str, object]:
    calls = [
        {"type": "function", "function": {"name": call.name, "arguments": json.loads(call.arguments_json)}}
        for call in message.tool_calls
    ]
    return {"role": message.role, "content": message.content, "tool_calls": calls}


def test_a_training_can_be_had_again(folder: Path, tmp_path: Path) -> None:
    """The same plan over the same lessons gives the same weights, and says beside them what it was."""
    school(lessons()[0], Plan(60, Fit(STEPS, batch=16, warm_up=4)), tmp_path, lambda progress: None)
    assert (tmp_path / network.WEIGHTS).read_bytes() == (folder / network.WEIGHTS).read_bytes()
    assert json.loads((tmp_path / RECORD).read_text())["fit"]["steps"] == STEPS


def test_random_weights_have_learnt_nothing(tmp_path: Path) -> None:
    """The control of no training says nothing that is a call."""
    school(lessons()[0], Plan(60, Fit(STEPS), "random weights"), tmp_path, lambda progress: None)
    model = BuiltInModel.load(tmp_path, checks_scope=False)
    assert model.traits.window_tokens == network.Shape(1).window
    loaded = Loaded.of(tmp_path)
    numbers = loaded.tokenizer.encode(chat.render(messages(lessons()[0][0])[:1], asks=True))
    said = loaded.tokenizer.decode(network.greedy(loaded.network, numbers, -1, 30))
    assert "</tool_call>" not in said
