"""`cellwright train` as a person types it."""

import json
from pathlib import Path

import pytest

from cellwright.dataset.files import load_tasks
from cellwright.models.server import ScriptedServer
from cellwright.training.record import load_result
from cellwright.training.shipped import shipped_files
from tests.apps.commands import said
from tests.training.small import SMALL, options
from tests.training.test_distil import Player

pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")

TINY = ("--config", "tiny-from-scratch")


def test_inspect_marks_what_is_trained(dataset: Path) -> None:
    """Without colours by brackets: the calls are within, the question is not."""
    done = said("train", "inspect", dataset, *TINY, *options(SMALL))
    assert done.returncode == 0, done.stderr
    trained = [part.split("⟧")[0] for part in done.stdout.split("⟦")[1:]]
    assert len(trained) >= 2
    assert all(part.startswith("<tool_call>") and part.endswith("<|im_end|>") for part in trained)
    assert '"name": "final_answer"' in trained[-1]
    assert "Answer with" not in "".join(trained)
    found = json.loads(said("train", "inspect", dataset, *TINY, *options(SMALL), "--json").stdout)
    assert ["".join(p["tokens"]) for p in found["pieces"] if p["kind"] == "trained"] == trained


def test_a_sweep_trains_for_each_value_and_plots(dataset: Path, tmp_path: Path) -> None:
    """Each in a folder of its own; the table has the last losses; more epochs, less loss."""
    changes = options([*SMALL, "sft.eval_strategy=no"])
    done = said("train", "sft", dataset, *TINY, "--out", tmp_path, "--sweep", "epochs=1,8", *changes, "--json")
    assert done.returncode == 0, done.stderr
    table = json.loads((tmp_path / "sweep.json").read_text())
    assert table["setting"] == "sft.num_train_epochs"
    assert [row["value"] for row in table["runs"]] == ["1", "8"]
    assert table["runs"][1]["train_loss"] < table["runs"][0]["train_loss"]
    assert "<svg" in (tmp_path / "sweep.svg").read_text()
    assert (tmp_path / "epochs-8" / "model.safetensors").exists()


def test_distil_goes_on_to_train(dataset: Path, tmp_path: Path) -> None:
    """A model of random weights fails two tasks, a teacher behind an endpoint solves them, the model learns them."""
    changes = options([*SMALL, "sft.max_steps=1", "sft.eval_strategy=no"])
    assert said("train", "sft", dataset, *TINY, "--out", tmp_path / "student", *changes).returncode == 0
    tasks = load_tasks(dataset)
    few = ("--samples", "1", "--tasks", "2", "--steps", "2", "--reply-tokens", "8", "--workers", "1")
    learning = options(["fresh=null", "sft.num_train_epochs=4", "sft.logging_steps=1", "sft.eval_strategy=no"])
    with ScriptedServer(Player(tasks, tasks), names=("teacher",)) as server:
        teacher = ("--teacher", "teacher", "--url", server.url, "--no-thinks", "--train", *TINY, *learning)
        folders = ("--model", tmp_path / "student", "--out", tmp_path / "out")
        done = said("train", "distil", dataset, *folders, *few, *teacher)
    assert done.returncode == 0, done.stderr
    assert "2: 0 done, 2 failed, 0 undecided" in done.stdout
    assert "solved 2 of 2" in done.stdout
    assert (tmp_path / "out" / "model" / "model.safetensors").exists()
    curve = load_result(tmp_path / "out" / "model").training
    assert curve[-1].loss < curve[0].loss


SMALLEST = (*TINY, *options(SMALL))
PACKED = ("--set", "sft.packing=true")
MISTAKES = {
    ("sft", "nowhere", "--out", "x"): "holds no traces.parquet",
    ("sft", "DATASET", "--out", "x", "--config", "qwen4"): "there is no recipe 'qwen4'",
    ("sft", "DATASET", "--out", "x", *TINY, "--set", "template=qwen5"): "there is no template 'qwen5'",
    ("sft", "DATASET", "--out", "x", *TINY, "--sweep", "epochs"): "--sweep takes one setting and its values",
    ("sft", "DATASET", "--out", "x", *TINY, "--sweep", "epoch=1,2"): "unknown setting epoch",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "sft.num_train_epochs=abc"): "sft.num_train_epochs=abc",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "sft.num_train_epochs=0"): "there would be no step",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "sft.per_device_train_batch_size=0"): "at least 1",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "sft.report_to=wandb"): "wandb",
    ("sft", "DATASET", "--out", "x", *SMALLEST, *PACKED, "--set", "sft.packing_strategy=wrapped"): "would cut traces",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "load.dtype=auto"): "load.dtype=auto: one of float32",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "load.attn_implementation=nope"): "section load of the recipe",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--set", "lora.target_modules=[nope]"): "does not take these settings",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--sweep", "rate=1e-3,abc"): "sft.learning_rate=abc",
    (
        "sft",
        "DATASET",
        "--out",
        "x",
        *SMALLEST,
        "--sweep",
        "template=qwen3-instruct,no.jinja",
    ): "no template 'no.jinja'",
    ("sft", "DATASET", "--out", "x", *SMALLEST, "--sweep", "epochs=1,-1"): "there would be no step",
    ("distil", "DATASET", "--out", "x", "--model", "built-in", "--train", *TINY): "whose weights are at hand",
    ("distil", "DATASET", "--out", "x", "--model", "./missing"): "there is no folder missing",
    ("inspect", "DATASET", "zzz", *TINY): "with an id that begins with 'zzz'",
    ("merge", "nowhere", "--out", "x"): "holds no adapter",
    ("distil", "nowhere", "--out", "x", "--model", "built-in"): "holds no tasks.parquet",
    ("distil", "DATASET", "--out", "x", "--model", "built-in", "--enough", "9"): "of 4 samples 9 cannot be enough",
    ("files", "fsdp.yaml"): "did you mean fsdp2.yaml?",
}


@pytest.mark.parametrize("arguments", MISTAKES, ids=" ".join)
def test_mistakes_get_one_line(arguments: tuple[str, ...], dataset: Path) -> None:
    """Exit code 2, what is wrong and with what, no traceback, and nothing is made."""
    done = said("train", *(dataset if argument == "DATASET" else argument for argument in arguments))
    assert done.returncode == 2
    assert MISTAKES[arguments] in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not Path("x").exists()


def test_the_files_that_ship_are_found() -> None:
    """Recipes, settings of accelerate and a Slurm script, each with a line on what it is for; a path for programs."""
    listed = said("train", "files").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [path.name for path in shipped_files()]
    assert all(len(line.split()) > 3 for line in listed)
    assert Path(said("train", "files", "fsdp2.yaml").stdout.strip()).is_file()


@pytest.mark.parametrize("name", ["fsdp2.yaml", "deepspeed-zero2.yaml"])
def test_accelerate_takes_its_settings(name: str) -> None:
    """Every key is one that accelerate knows."""
    from accelerate.commands.config.config_args import load_config_from_file  # noqa: PLC0415

    path = next(path for path in shipped_files() if path.name == name)
    assert load_config_from_file(str(path)).num_processes == 2
