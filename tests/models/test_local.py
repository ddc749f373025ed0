"""A model in this process. Needs PyTorch and transformers, which `make test` does not install: `make test-local`."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cellwright.core.errors import ContextOverflow, MissingExtra, ModelMisused
from cellwright.core.types import Message
from cellwright.models import Delta, Reply, Request, Sampling
from cellwright.models.local import TransformersModel, served_locally, server_command

torch = pytest.importorskip("torch", reason="NOT TESTED HERE: models in this process; run `make test-local`")
transformers = pytest.importorskip("transformers", reason="NOT TESTED HERE: models in this process")

CALL = '<tool_call>\n{"name": "execute_code", "arguments": {"code": "2 + 2"}}\n</tool_call>'
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}{% for c in m.tool_calls or [] %}"
    "{{ c.function.arguments.code }}{% endfor %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
CHAT = (Message("user", "What is 2 + 2?"),)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model of Qwen3's architecture that has learned to say one call."""
    import tokenizers  # noqa: PLC0415

    path = tmp_path_factory.mktemp("model")
    raw = tokenizers.Tokenizer(tokenizers.models.WordLevel({}, unk_token="<unk>"))
    raw.pre_tokenizer = tokenizers.pre_tokenizers.Split("", "isolated")
    raw.decoder = tokenizers.decoders.Fuse()
    trainer = tokenizers.trainers.WordLevelTrainer(
        special_tokens=["<unk>", "<|end|>", "<|user|>", "<|assistant|>", "<|system|>", "<|tool|>"]
    )
    raw.train_from_iterator([CALL, "".join(map(chr, range(32, 127)))], trainer)
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, unk_token="<unk>", eos_token="<|end|>")
    tokenizer.chat_template = TEMPLATE
    config = transformers.Qwen3Config(
        vocab_size=len(tokenizer),
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=256,
        eos_token_id=tokenizer.eos_token_id,
    )
    torch.manual_seed(0)
    model = transformers.Qwen3ForCausalLM(config)
    _teach(model, tokenizer)
    model.save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def _teach(model: Any, tokenizer: Any) -> None:
    chat = [{"role": "user", "content": CHAT[0].content}]
    prompt = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    ids = tokenizer(prompt + CALL + "<|end|>", return_tensors="pt", add_special_tokens=False)["input_ids"]
    labels = ids.clone()
    labels[:, : len(tokenizer(prompt, add_special_tokens=False)["input_ids"])] = -100
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(150):
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss.detach()) < 0.05


def ask(model: TransformersModel, request: Request, hear: Any = None) -> Reply:
    return asyncio.run(model.reply(request, hear))


def test_a_model_in_this_process_calls_its_tool(folder: Path) -> None:
    """Its call is read out of the text, its pieces are heard, and its tokens are counted."""
    model = TransformersModel.load(str(folder), device="cpu")
    pieces: list[Delta] = []
    reply = ask(model, Request(CHAT, "[]", Sampling(temperature=0)), pieces.append)
    (call,) = reply.message.tool_calls
    assert (call.name, json.loads(call.arguments_json)) == ("execute_code", {"code": "2 + 2"})
    assert "".join(piece.text for piece in pieces).strip() == CALL
    assert len(pieces) > 10
    assert reply.usage.output_tokens == len(CALL) + 1
    assert reply.finish == "stop"


def test_replies_are_cut_and_chats_too_long_are_refused(folder: Path) -> None:
    """At the limit of tokens, and at the model's window."""
    model = TransformersModel.load(str(folder), device="cpu")
    assert ask(model, Request(CHAT, "[]", Sampling(temperature=0, max_tokens=5))).finish == "length"
    with pytest.raises(ContextOverflow, match="window 256"):
        ask(model, Request((Message("user", "2" * 300),), "[]"))


def test_samples_differ_by_index_and_not_by_chance(folder: Path) -> None:
    """The same index gives the same reply."""
    model = TransformersModel.load(str(folder), device="cpu")

    def sample(index: int) -> str:
        request = Request((Message("user", "?"),), "[]", Sampling(temperature=8.0, max_tokens=20, index=index))
        return ask(model, request).message.content

    assert sample(0) == sample(0)
    assert sample(0) != sample(1)


def test_a_cancelled_reply_stops_at_the_next_token(folder: Path) -> None:
    """And the model is free for the next one."""
    model = TransformersModel.load(str(folder), device="cpu")

    async def job() -> Reply:
        heard: list[Delta] = []
        begun = asyncio.Event()

        def hear(delta: Delta) -> None:
            heard.append(delta)
            begun.set()

        working = asyncio.create_task(model.reply(Request(CHAT, "[]", Sampling(temperature=0)), hear))
        await begun.wait()
        working.cancel()
        await asyncio.wait({working})
        assert working.cancelled()
        assert len(heard) < len(CALL)
        return await model.reply(Request(CHAT, "[]", Sampling(temperature=0)))

    assert asyncio.run(job()).message.tool_calls


def test_what_is_no_model_is_said(folder: Path, tmp_path: Path) -> None:
    """A folder without one, and one without a chat template."""
    with pytest.raises(ModelMisused, match="cannot be loaded"):
        TransformersModel.load(str(tmp_path))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.chat_template = None
    tokenizer.save_pretrained(tmp_path)
    transformers.AutoModelForCausalLM.from_pretrained(folder).save_pretrained(tmp_path)
    with pytest.raises(ModelMisused, match="no chat template"):
        TransformersModel.load(str(tmp_path))


def test_a_server_is_started_for_it(folder: Path) -> None:
    """`transformers serve` on a free port, until the context ends."""
    try:
        server_command(str(folder), 1, "transformers")
    except MissingExtra:
        pytest.skip("NOT TESTED HERE: transformers serve is not installed")

    async def job() -> Reply:
        async with served_locally(str(folder), server="transformers", timeout_s=120) as model:
            return await model.reply(Request(CHAT, "[]", Sampling(temperature=0)))

    (call,) = asyncio.run(job()).message.tool_calls
    assert call.name == "execute_code"


def test_ask_takes_a_folder(folder: Path, tmp_path: Path) -> None:
    """Its model has a window of 256 tokens, which no question fits; that is said, and the notebook is there."""
    command = [sys.executable, "-m", "cellwright", "ask", "What is 2 + 2?", "--model", str(folder), "--no-preload"]
    command += ["--trusted", "--steps", "2", "--temperature", "0"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert "in this process" in done.stdout, done.stderr
    assert "no answer: token limit" in done.stdout
    assert (tmp_path / "answer.ipynb").exists()
