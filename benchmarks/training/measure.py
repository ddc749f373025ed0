"""One training, timed from the end of its first step: by our own code path, or by TRL with nothing but its defaults.

Each runs in a process of its own, so that the most memory that it had is its own too.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from benchmarks.training.cases import Case, Way, config_of, recipe_of
from benchmarks.training.flops import Network, flops_a_token
from cellwright.training.fresh import make_tokenizer
from cellwright.training.memory import measure as size_of
from cellwright.training.memory import need
from cellwright.training.recipe import Recipe
from cellwright.training.rows import NOT_TRAINED, Counts, Lengths, Rows
from cellwright.training.settings import load_keys, sft_config
from cellwright.training.sft import Start, make_trainer, plan_of, quiet_libraries
from cellwright.training.templates import find_template

if TYPE_CHECKING:
    from transformers import PreTrainedModel, Qwen3Config
    from trl import SFTTrainer

_TRAINED_SHARE = 0.4
"""Of a document's tokens: about what is the assistant's in traces of builds."""


@dataclass(frozen=True)
class Speed:
    """What was measured of one training."""

    way: Way
    device: str
    tokens: int
    """Of documents, without padding, in the steps that were timed."""
    seconds: float
    flops_a_token: float
    peak_bytes: int
    """More than there was before the model."""
    estimated_bytes: float | None
    """What `memory.py` says beforehand of our way."""

    @property
    def tokens_a_s(self) -> float:
        return self.tokens / self.seconds

    @property
    def flops(self) -> float:
        """A second."""
        return self.tokens_a_s * self.flops_a_token


@dataclass(frozen=True)
class TooLarge:
    """A training that the device had not the memory for."""

    way: Way
    device: str


def measure(case: Case, way: Way) -> Speed | TooLarge:
    """Train once over the documents of a case. Its first step is warming up."""
    import torch  # noqa: PLC0415

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {torch.get_num_threads()} threads"
    with quiet_libraries(), tempfile.TemporaryDirectory() as folder:
        start = _start(case, Path(folder))
        estimate = need(size_of(start.config, 4, None), plan_of(start)).total if way == "cellwright train sft" else None
        before = _memory("VmRSS")
        try:
            trainer = make_trainer(start, lambda told: None) if estimate is not None else _plain(case, way, start)
            clock = _timed(trainer)
            trainer.train()
        except torch.OutOfMemoryError:
            return TooLarge(way, device)
    peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else _memory("VmHWM") - before
    seen = [int(entry["num_tokens"]) for entry in trainer.state.log_history if "num_tokens" in entry]
    flops = flops_a_token(_network(trainer.model, start.config), case.documents)
    return Speed(way, device, seen[-1] - seen[0], clock[-1] - clock[0], flops, peak, estimate)


def _start(case: Case, folder: Path) -> Start:
    """What `cellwright train sft` has when it begins, with documents of noise in place of a dataset's."""
    recipe = recipe_of(case)
    assert recipe.fresh is not None
    tokenizer = make_tokenizer(recipe.fresh, ["noise"], recipe.data.window)
    template = find_template(recipe.template, tokenizer)
    config = config_of(case, recipe)
    rows = _rows(case.documents, config.vocab_size)
    arguments = sft_config(recipe, template, folder)
    return Start(recipe, tokenizer, template, config, arguments, lora=None, train=rows, validation=None)


def _rows(documents: Sequence[int], vocabulary: int) -> Rows:
    rng = random.Random(0)
    ids = [[rng.randrange(vocabulary) for _ in range(tokens)] for tokens in documents]
    labels = [[token if rng.random() < _TRAINED_SHARE else NOT_TRAINED for token in row] for row in ids]
    kind = pa.large_list(pa.int32())
    table = pa.table({"input_ids": pa.array(ids, kind), "labels": pa.array(labels, kind)})
    ordered = sorted(documents)
    middle, total = ordered[len(ordered) // 2], sum(documents)
    lengths = Lengths(
        len(documents), ordered[0], middle, ordered[-1], ordered[-1], ordered[-1], total, int(total * _TRAINED_SHARE)
    )
    return Rows(table, lengths, Counts(whole=len(documents)))


def _plain(case: Case, way: Way, start: Start) -> "SFTTrainer":
    """TRL with its defaults, but for what it needs to see whole documents and to be measured."""
    import datasets  # noqa: PLC0415
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    import trl  # noqa: PLC0415

    needed: dict[str, Any] = {"max_length": max(case.documents), "num_train_epochs": 1, "logging_steps": 1}
    needed |= {"save_strategy": "no", "report_to": "none", "disable_tqdm": True}
    needed |= {"output_dir": start.arguments.output_dir, "use_cpu": not torch.cuda.is_available()}
    if way.endswith("32 bits"):
        needed["bf16"] = False
    if case.batch is not None:
        needed |= {"per_device_train_batch_size": case.batch, "gradient_accumulation_steps": case.accumulation}
    trainer = trl.SFTTrainer(
        _new_model(start.config, start.recipe),
        args=trl.SFTConfig(**needed),
        train_dataset=datasets.Dataset(start.train.table),
        processing_class=start.tokenizer,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def _new_model(config: "Qwen3Config", recipe: Recipe) -> "PreTrainedModel":
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    return transformers.AutoModelForCausalLM.from_config(config, dtype=getattr(torch, load_keys(recipe)["dtype"]))


def _timed(trainer: "SFTTrainer") -> list[float]:
    """When each step ended, the device's work done; filled while the trainer runs."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    ends: list[float] = []

    class Clock(transformers.TrainerCallback):  # type: ignore[misc]  # transformers has no types
        """Looks at the clock."""

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            ends.append(time.perf_counter())

    trainer.add_callback(Clock())
    return ends


def _network(model: Any, config: "Qwen3Config") -> Network:
    parameters = sum(parameter.numel() for parameter in model.parameters())
    # Tied, the embedding gives the logits, and is multiplied with.
    looked_up = 0 if config.tie_word_embeddings else config.vocab_size * config.hidden_size
    return Network(parameters - looked_up, config.num_hidden_layers, config.num_attention_heads * config.head_dim)


def _memory(name: str) -> int:
    """Bytes of this process, now (VmRSS) or at the most (VmHWM): getrusage would tell the parent's where that was
    more."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
