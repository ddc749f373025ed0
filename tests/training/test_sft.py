"""Training for real, on models that take seconds: it learns, it is kept whole, and what was stopped goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cellwright.core.errors import UsageError
from cellwright.models.local import TransformersModel
from cellwright.training.memory import GIB, Plan, Size, need, refuse_too_little
from cellwright.training.merge import merge_adapter
from cellwright.training.recipe import Recipe
from cellwright.training.record import Result, load_result
from cellwright.training.rows import read_talks
from cellwright.training.sft import (
    CHECKPOINTS,
    Told,
    last_checkpoint,
    make_trainer,
    plan_of,
    prepare,
    quiet_libraries,
    remove_broken,
    train_sft,
)
from cellwright.training.templates import encode, find_template
from tests.training.small import SMALL, THREAD, options, small, train

torch = pytest.importorskip("torch", reason="NOT TESTED HERE: training; run `make test-train`")
transformers = pytest.importorskip("transformers", reason="NOT TESTED HERE: training; run `make test-train`")
pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Several tests run at once."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def silent(told: str | Told) -> None:
    pass


@pytest.fixture(scope="module")
def trained(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Result]:
    """A small model after some epochs."""
    out = tmp_path_factory.mktemp("trained") / "model"
    torch.set_num_threads(1)
    return out, train_sft(dataset, small("sft.num_train_epochs=20"), out, silent)


def test_training_lowers_the_loss(trained: tuple[Path, Result]) -> None:
    """By much more than chance does, from that of a model that knows nothing."""
    curve = trained[1].training
    assert curve[0].loss > 5
    assert curve[-1].loss < 0.6 * curve[0].loss
    assert [point.step for point in curve] == list(range(1, trained[1].steps + 1))


def test_the_model_is_kept_with_its_template_and_record(trained: tuple[Path, Result], dataset: Path) -> None:
    """transformers loads it; its template is the one it was trained with; nothing else is left."""
    out, result = trained
    assert load_result(out) == result
    names = {path.name for path in out.iterdir()}
    assert {"model.safetensors", "config.json", "tokenizer.json", "chat_template.jinja", "README.md"} <= names
    assert not names & {CHECKPOINTS, "training_args.bin"}
    tokenizer = transformers.AutoTokenizer.from_pretrained(out)
    model = transformers.AutoModelForCausalLM.from_pretrained(out)
    assert model.num_parameters() == result.parameters == result.trained_parameters
    assert model.generation_config.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    talk = read_talks(dataset, "non-thinking")["train"][0]
    template = find_template("qwen3-instruct", tokenizer)
    assert tokenizer.chat_template == template.inference
    ids = torch.tensor([encode(tokenizer, template, talk.messages, talk.tools).ids])
    with torch.inference_mode():
        loss = model(ids, labels=ids).loss
    assert torch.isfinite(loss)
    TransformersModel.load(str(out), device="cpu")


def test_the_card_says_what_it_is(trained: tuple[Path, Result]) -> None:
    """Data by its hash, recipe, lengths, metrics, limits."""
    out, result = trained
    card = (out / "README.md").read_text()
    for said in (
        result.run.data_sha256,
        "learning_rate: 0.01",
        f"| train | {result.train.lengths.rows} |",
        f"{result.training[-1].loss:.4f}",
        "cut after the last turn that fits",
        "imitates the form of its traces",
    ):
        assert said in card


def test_a_finished_run_is_not_done_again(trained: tuple[Path, Result], dataset: Path) -> None:
    """The same command says so; another recipe does not write over it."""
    out, result = trained
    told: list[str | Told] = []
    assert train_sft(dataset, result.run.recipe, out, told.append) == result
    assert f"{out} is trained already: nothing to do" in told
    with pytest.raises(UsageError, match="holds another run: the recipe's sft differ"):
        train_sft(dataset, small("sft.num_train_epochs=7"), out, silent)


def test_the_snippet_of_the_card_runs(trained: tuple[Path, Result]) -> None:
    """It is what a reader copies first."""
    code = (trained[0] / "README.md").read_text().split("```python\n")[1].split("```")[0]
    scope: dict[str, Any] = {}
    exec(code.replace("FOLDER", str(trained[0])).replace("max_new_tokens=512", "max_new_tokens=4"), scope)
    assert isinstance(scope["text"], str)


def test_the_snippet_of_a_thinking_models_card_runs(dataset: Path, tmp_path: Path) -> None:
    """What it thinks and what it says come apart."""
    changes = ("template=qwen3-thinking", "data.rendering=thinking", "sft.max_steps=1", "sft.eval_strategy=no")
    train_sft(dataset, small(*changes), tmp_path / "model", silent)
    code = (tmp_path / "model" / "README.md").read_text().split("```python\n")[1].split("```")[0]
    assert "</think>" in code
    scope: dict[str, Any] = {}
    exec(code.replace("FOLDER", str(tmp_path / "model")).replace("max_new_tokens=512", "max_new_tokens=4"), scope)
    assert isinstance(scope["text"], str)


def test_two_processes_train_as_one(dataset: Path, tmp_path: Path) -> None:
    """As on two GPUs: one of them writes and tells, and what comes out is one whole model."""
    changes = options([*SMALL, "sft.max_steps=4", "sft.save_strategy=steps", "sft.save_steps=2"])
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        "-m",
        "cellwright",
    ]
    command += [
        "train",
        "sft",
        str(dataset),
        "--config",
        "tiny-from-scratch",
        "--out",
        str(tmp_path / "model"),
        *changes,
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, **THREAD}
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("next       cellwright ask") == 1
    assert done.stderr.count("memory: about") == 1
    assert load_result(tmp_path / "model").steps == 4
    transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "model")


def test_a_model_that_was_trained_here_may_be_trained_further(trained: tuple[Path, Result]) -> None:
    """By its own template, which is one of ours without the tags."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(trained[0])
    assert find_template("auto", tokenizer) == find_template("qwen3-instruct", tokenizer)


def test_a_killed_run_goes_on_with_the_same_losses(dataset: Path, tmp_path: Path) -> None:
    """SIGKILL after a checkpoint; the same command again gives, at every step, the loss of a run that was let be."""
    changes = [*SMALL, "sft.max_steps=24", "sft.eval_strategy=no", "sft.save_strategy=steps", "sft.save_steps=4"]
    changes += ["sft.neftune_noise_alpha=5"]  # Random numbers, which must go on as well.

    def command(out: Path) -> "subprocess.Popen[str]":
        return train("sft", dataset, "--config", "tiny-from-scratch", "--out", out, "--json", *options(changes))

    whole = command(tmp_path / "whole")
    with command(tmp_path / "killed") as process:
        saved = tmp_path / "killed" / CHECKPOINTS / "checkpoint-8" / "trainer_state.json"
        while not saved.exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL, "it was done before it could be killed"
    with command(tmp_path / "killed") as again:
        said, errors = again.communicate()
    assert again.returncode == 0, errors
    expected, errors = whole.communicate()
    assert whole.returncode == 0, errors
    curves = [[(point["step"], point["loss"]) for point in json.loads(text)["training"]] for text in (expected, said)]
    assert len(curves[0]) == 24
    assert curves[0] == curves[1]
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("whole", "killed")]
    assert weights[0] == weights[1]


def test_half_a_checkpoint_is_not_gone_on_from(tmp_path: Path) -> None:
    """The trainer writes its state last; without it, or with half of it, the one before is taken."""
    for step, state in ((4, "{}"), (8, '{"global'), (12, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(b"")
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert last_checkpoint(tmp_path) == tmp_path / "checkpoint-4"
    remove_broken(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-4"]
    assert last_checkpoint(tmp_path / "none") is None


def started(dataset: Path, recipe: Recipe, out: Path) -> Any:
    """A trainer with its model, before its first step."""
    with quiet_libraries():
        talks = read_talks(dataset, recipe.data.rendering)
        return make_trainer(prepare(talks["train"], [], recipe, out), silent)


def test_packed_documents_do_not_see_each_other(dataset: Path, tmp_path: Path) -> None:
    """In the batch that the trainer makes, every document has the logits that it has alone."""
    trainer = started(dataset, small("sft.packing=true", "data.window=4096"), tmp_path)
    batch = dict(next(iter(trainer.get_train_dataloader())))
    starts = (batch["position_ids"][0] == 0).nonzero().flatten().tolist()
    edges = [*starts, batch["input_ids"].shape[1]]
    assert len(starts) >= 3
    inputs = {key: value for key, value in batch.items() if key != "labels"}
    model = trainer.model.eval()
    with torch.inference_mode():
        # As TRL's compute_loss calls the model.
        together = model(**inputs, use_cache=False).logits[0]
        run_on = model(input_ids=batch["input_ids"], use_cache=False).logits[0]
        for start, stop in pairwise(edges):
            alone = model(input_ids=batch["input_ids"][:, start:stop], use_cache=False).logits[0]
            torch.testing.assert_close(together[start:stop], alone, atol=1e-4, rtol=1e-4)
        # The comparison can fail: without boundaries the second document sees the first.
        assert (run_on[starts[1] : starts[2]] - together[starts[1] : starts[2]]).abs().max() > 1e-3
    # And the first token of a document is not trained to follow the last of the one before.
    assert (batch["labels"][0, starts] == -100).all()


def test_packing_loses_nothing(dataset: Path, tmp_path: Path) -> None:
    """Over an epoch, the packs hold every token of every row once, trained as it was."""
    trainer = started(dataset, small("sft.packing=true", "data.window=4096"), tmp_path)
    plain = started(dataset, small(), tmp_path)

    def documents(rows: Any) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
        found = []
        for row in rows:
            place = 0
            for length in row.get("seq_lengths", [len(row["input_ids"])]):
                part = slice(place, place + length)
                found.append((tuple(row["input_ids"][part]), tuple(row["labels"][part])))
                place += length
        return sorted(found)

    assert len(trainer.train_dataset) < len(plain.train_dataset)
    assert documents(trainer.train_dataset) == documents(plain.train_dataset)


# PEFT 0.21 asks transformers 5.23 for an attribute by its old name.
@pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing. is deprecated:FutureWarning")
def test_an_adapter_is_trained_and_merged(trained: tuple[Path, Result], dataset: Path, tmp_path: Path) -> None:
    """LoRA on a saved model, with noise and packing: the merged model has the adapter's logits and its template."""
    import peft  # noqa: PLC0415

    base = str(trained[0])
    lora = ["lora.r=4", "lora.target_modules=all-linear", "sft.max_steps=3", "sft.packing=true"]
    recipe = replace(small(*lora, "sft.neftune_noise_alpha=7"), model=base, fresh=None)
    result = train_sft(dataset, recipe, tmp_path / "adapter", silent)
    assert 0 < result.trained_parameters < result.parameters / 2
    assert "library_name: peft" in (tmp_path / "adapter" / "README.md").read_text()
    assert base not in (tmp_path / "adapter" / "README.md").read_text().split("---")[1]
    merge_adapter(tmp_path / "adapter", tmp_path / "merged")
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "merged")
    assert tokenizer.chat_template == transformers.AutoTokenizer.from_pretrained(base).chat_template
    ids = torch.arange(20)[None]
    with torch.inference_mode():
        adapted = peft.AutoPeftModelForCausalLM.from_pretrained(tmp_path / "adapter").eval()(ids).logits
        merged = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "merged").eval()(ids).logits
        before = transformers.AutoModelForCausalLM.from_pretrained(base).eval()(ids).logits
    torch.testing.assert_close(merged, adapted, atol=1e-4, rtol=1e-4)
    assert (merged - before).abs().max() > 1e-3
    assert "library_name: transformers" in (tmp_path / "merged" / "README.md").read_text()
    with pytest.raises(UsageError, match="holds no adapter"):
        merge_adapter(tmp_path / "merged", tmp_path / "again")


def test_too_little_memory_is_said_before_anything_is_loaded(dataset: Path, tmp_path: Path) -> None:
    """Of a model of which there is only a configuration, too large for any machine that runs tests."""
    folder = tmp_path / "huge"
    config = transformers.Qwen3Config(
        hidden_size=16384, intermediate_size=53248, num_hidden_layers=126, num_attention_heads=128, vocab_size=2048
    )
    config.save_pretrained(folder)
    model = small_tokenizer(dataset, tmp_path)
    for path in model.glob("*"):
        shutil.copyfile(path, folder / path.name)
    recipe = replace(small("data.window=2048"), model=str(folder), fresh=None)
    with pytest.raises(UsageError) as caught:
        train_sft(dataset, recipe, tmp_path / "out", silent)
    said = str(caught.value)
    assert "too little memory: training" in said
    assert "weights" in said
    assert "tiny-from-scratch fits anywhere" in said
    assert not (tmp_path / "out").exists()


def small_tokenizer(dataset: Path, tmp_path: Path) -> Path:
    """A folder with a tokenizer and nothing else."""
    with quiet_libraries():
        start = prepare(read_talks(dataset, "non-thinking")["train"], [], small(), tmp_path / "none")
    start.tokenizer.save_pretrained(tmp_path / "tokenizer")
    return tmp_path / "tokenizer"


def test_packed_rows_are_counted_with_their_mask(dataset: Path, tmp_path: Path) -> None:
    """One window at a time is measured too, where one is trained on; three bytes for each pair of its tokens."""
    talks = read_talks(dataset, "non-thinking")["train"]
    changes = ("sft.packing=true", "data.window=1024", "sft.per_device_train_batch_size=1")
    with quiet_libraries():
        packed = prepare(talks, talks, small(*changes), tmp_path / "packed")
        more = prepare(talks, talks, small(*changes, "sft.per_device_eval_batch_size=4"), tmp_path / "more")
        plain = prepare(talks, talks, small(), tmp_path / "plain")
    assert packed.arguments.per_device_eval_batch_size == 1
    assert [plan_of(start).masked for start in (packed, more, plain)] == [1024, 4096, 0]
    size = Size(1000, 1000, 100, 2, 8, 4, 100)
    assert need(size, plan_of(packed)).mask == 3 * 1024**2


def test_what_would_fit_is_named() -> None:
    """Qwen3-4B on 32k tokens at once with 24, 40 and 80 GB: nothing whole; LoRA; and several devices."""
    size = Size(4_022_468_096, 4_022_468_096, 2_000_000, 36, 2560, 4, 151936)
    plan = Plan(32768, 2, True, "adamw_torch_fused", on_gpu=True)
    needed = need(size, plan)
    assert needed.weights == size.parameters * 4
    assert needed.optimizer == size.parameters * 8
    assert needed.total > 60 * GIB
    with pytest.raises(UsageError) as caught:
        refuse_too_little(size, plan, 24 * GIB, "a GPU")
    assert "LoRA in 16 bits" in str(caught.value)
    assert "8 such devices with FSDP2" in str(caught.value)
    assert "4 such devices" not in str(caught.value)
    with pytest.raises(UsageError, match="Nothing smaller would fit"):
        refuse_too_little(size, plan, GIB, "a GPU")
    assert refuse_too_little(size, plan, 100 * GIB, "a GPU") == needed


def test_logits_are_counted_in_tiles() -> None:
    """A large vocabulary needs more, up to TRL's tile; more tokens than a tile has need no more."""
    size, plan = Size(1_000_000, 1_000_000, 10_000, 3, 128, 4, 2048), Plan(2048, 4, False, "adamw_torch")
    few = need(size, plan).logits
    assert need(replace(size, vocabulary=20480), plan).logits == 10 * few
    assert need(size, replace(plan, tokens=4096)).logits == 2 * few
    assert need(size, replace(plan, tokens=65536)).logits == 2 * few
    assert need(size, replace(plan, on_gpu=True)).logits < few


def test_what_is_no_model_is_said(dataset: Path, tmp_path: Path) -> None:
    """An empty folder; a trace that no window of the model could hold; a window that lets nothing through."""
    with pytest.raises(UsageError, match="cannot be loaded as a model"):
        train_sft(dataset, replace(small(), model=str(tmp_path), fresh=None), tmp_path / "out", silent)
    with pytest.raises(UsageError, match="no trace is left to train on"):
        train_sft(dataset, small("data.window=64"), tmp_path / "out", silent)
    with pytest.raises(UsageError, match="there is no template 'qwen5'"):
        train_sft(dataset, small("template=qwen5"), tmp_path / "out", silent)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    with pytest.raises(UsageError, match="is not empty and holds no run"):
        train_sft(dataset, small(), tmp_path / "full", silent)
    assert not (tmp_path / "out").exists()


def test_a_window_larger_than_the_models_is_refused(
    trained: tuple[Path, Result], dataset: Path, tmp_path: Path
) -> None:
    """Positions that a model has never seen would be trained in silence."""
    recipe = replace(small("data.window=8192"), model=str(trained[0]), fresh=None)
    with pytest.raises(UsageError, match="the model's own window is 4096 tokens"):
        train_sft(dataset, recipe, tmp_path / "out", silent)


def test_without_a_validation_split_there_is_no_validation(dataset: Path, tmp_path: Path) -> None:
    """The recipe asks for it all the same."""
    trainer = started(dataset, small(), tmp_path)
    assert trainer.eval_dataset is None
    assert trainer.args.eval_strategy == "no"
