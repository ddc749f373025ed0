"""On policy, for real: a student of random weights, a teacher that has learnt, runs in kernels, TRL's trainer."""

import json
from pathlib import Path

import pytest

from cellwright.training.distil.on_policy import learn
from cellwright.training.recipe import load_recipe
from cellwright.training.record import OnPolicyResult
from tests.apps.commands import said
from tests.training.small import SMALL, options

torch = pytest.importorskip("torch", reason="NOT TESTED HERE: training; run `make test-train`")
pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")
transformers = pytest.importorskip("transformers", reason="NOT TESTED HERE: training; run `make test-train`")

TINY = ("--config", "tiny-from-scratch")
FEW = ("--samples", "1", "--tasks", "2", "--steps", "2", "--reply-tokens", "8", "--workers", "1")
# A divergence that a model so small brings down in a minute.
SHARP = ("on_policy.beta=0.0", "on_policy.temperature=0.5", "on_policy.max_completion_length=12")
LEARNING = options(["fresh=null", "on_policy.max_steps=64", *SHARP, *SMALL[6:]])


@pytest.fixture(scope="module")
def folders(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A student after one step, a teacher after sixty, and one of another vocabulary."""
    out = tmp_path_factory.mktemp("models")
    found = {}
    for name, *changes in (
        ("student", "sft.max_steps=1"),
        ("teacher", "sft.max_steps=60"),
        ("stranger", "sft.max_steps=1", "fresh.vocabulary=500"),
    ):
        found[name] = out / name
        order = options([*SMALL, *changes, "sft.eval_strategy=no"])
        assert said("train", "sft", dataset, *TINY, "--out", found[name], *order).returncode == 0
    return found


def test_a_student_comes_nearer_to_its_teacher(dataset: Path, folders: dict[str, Path], tmp_path: Path) -> None:
    """From where its own runs failed; the model is whole, with card and record, and is not made twice."""
    places = (dataset, "--model", folders["student"], "--teacher", folders["teacher"], "--out", tmp_path / "out")
    done = said("train", "distil", *places, "--on-policy", *FEW, *TINY, *LEARNING)
    assert done.returncode == 0, done.stderr
    assert "2: 0 done, 2 failed, 0 undecided" in done.stdout
    out = tmp_path / "out" / "model"
    record = json.loads((out / "result.json").read_text())
    assert set(record) == set(OnPolicyResult.__dataclass_fields__)
    curve = [point["loss"] for point in record["curve"]]
    assert len(curve) == 64
    assert sum(curve[-16:]) < 0.8 * sum(curve[:16])
    assert record["turns"] >= 2
    student, learnt = (transformers.AutoModelForCausalLM.from_pretrained(f) for f in (folders["student"], out))
    assert any(not torch.equal(a, b) for a, b in zip(student.parameters(), learnt.parameters(), strict=True))
    assert transformers.AutoTokenizer.from_pretrained(out).chat_template
    assert "taught on policy" in (out / "README.md").read_text()
    assert not {path.name for path in out.iterdir()} & {"checkpoints", "training_args.bin"}
    again = said("train", "distil", *places, "--on-policy", *FEW, *TINY, *LEARNING)
    assert again.returncode == 0, again.stderr
    assert "is trained already" in again.stderr
    other = said("train", "distil", *places, "--on-policy", *FEW, *TINY, *LEARNING, "--set", "on_policy.beta=1.0")
    assert other.returncode == 2
    assert "holds another run: the recipe's on_policy differ" in other.stderr


def test_fewer_turns_than_a_batch_are_turns_all_the_same(folders: dict[str, Path], tmp_path: Path) -> None:
    """TRL takes whole batches only."""
    recipe = load_recipe(
        "tiny-from-scratch",
        [
            "fresh=null",
            "on_policy.max_steps=1",
            "on_policy.max_completion_length=2",
            "sft.per_device_train_batch_size=5",
        ],
        str(folders["student"]),
    )
    turns = [f"<|im_start|>user\n{n}<|im_end|>\n<|im_start|>assistant\n" for n in range(2)]
    assert learn(turns, str(folders["teacher"]), recipe, tmp_path / "out", lambda told: None).steps == 1


@pytest.mark.parametrize(
    "case",
    [
        ("student", "", (), "--on-policy needs --teacher with a folder"),
        ("student", "stranger", (), "does not have the vocabulary of"),
        ("student", "missing", (), "cannot be loaded as a model"),
        ("student", "teacher", ("lora.r=4",), "a whole model learns"),
        ("student", "teacher", ("on_policy.beta=much",), "on_policy.beta=much"),
        ("student", "teacher", ("on_policy.bta=1",), "did you mean on_policy.beta?"),
        ("student", "teacher", ("sft.lerning_rate=1",), "did you mean sft.learning_rate?"),
        ("student", "teacher", ("load.dtype=auto",), "load.dtype=auto"),
        ("built-in", "teacher", (), "whose weights are at hand"),
    ],
)
def test_what_cannot_be_taught_so_is_said_before_any_run(
    case: tuple[str, str, tuple[str, ...], str], dataset: Path, folders: dict[str, Path], tmp_path: Path
) -> None:
    """One line and exit code 2, and nothing is made."""
    student, teacher, more, told = case
    order: list[str | Path] = [
        "train",
        "distil",
        dataset,
        "--model",
        folders.get(student, student),
        "--out",
        tmp_path / "out",
        *FEW,
    ]
    if teacher:
        order += ["--teacher", folders.get(teacher, tmp_path / teacher)]
    done = said(*order, "--on-policy", *TINY, *LEARNING, *options(more))
    assert done.returncode == 2
    assert told in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()
