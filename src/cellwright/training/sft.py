"""Supervised fine-tuning: a recipe and a dataset in, a model folder out. The training itself is TRL's SFTTrainer.

A run that was stopped, even by kill -9, goes on from its last whole checkpoint when the same command is given again,
and its losses are those that it would have had. Checkpoints stand in OUT/checkpoints until the run is done.
"""

import contextlib
import json
import os
import resource
import shutil
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.core.errors import ConfigError, MissingExtra, UsageError
from cellwright.training.card import write_card
from cellwright.training.fresh import make_tokenizer, model_config
from cellwright.training.memory import Plan, free_bytes, measure, refuse_too_little, shards
from cellwright.training.recipe import Recipe
from cellwright.training.record import Result, Side, claim, keep, look, points, this_run
from cellwright.training.rows import Rows, Talk, make_rows, read_talks, texts
from cellwright.training.settings import load_keys, lora_config, sft_config
from cellwright.training.templates import Template, find_template

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase
    from trl import SFTConfig, SFTTrainer

CHECKPOINTS = "checkpoints"
_STATE = "trainer_state.json"


@dataclass(frozen=True)
class Told:
    """Where a run is."""

    step: int
    steps: int
    epoch: float
    loss: float | None = None
    """Of training, where one was measured at this step."""
    validation_loss: float | None = None


Hear = Callable[[str | Told], None]
"""Is told what happens, in words, and where the run is."""


@dataclass(frozen=True)
class Checked:
    """A recipe of which every setting was checked, and what it leads to, before data and weights are looked at."""

    recipe: Recipe
    tokenizer: "PreTrainedTokenizerBase"
    template: Template
    config: "PretrainedConfig"
    arguments: "SFTConfig"
    lora: "LoraConfig | None"


@dataclass(frozen=True)
class Start(Checked):
    """All that training begins with, before the model is loaded."""

    train: Rows
    validation: Rows | None


def is_first_rank() -> bool:
    """Whether this process is the one of a run on several devices that writes and tells."""
    return os.environ.get("RANK", "0") == "0"


def nobody(told: str | Told) -> None:
    """Hears nothing."""


def train_sft(dataset: Path, recipe: Recipe, out: Path, hear: Hear) -> Result:
    """Fine-tune, and leave the model, its tokenizer with the template, its card and its record in `out`.

    Raises UsageError for what cannot be trained so: wrong recipe or data, too little memory, another run's folder.
    """
    talks = read_talks(dataset, recipe.data.rendering)
    if not is_first_rank():
        hear = nobody
    with quiet_libraries():
        run = this_run(dataset, recipe)
        if done := look(out, run):
            hear(f"{out} is trained already: nothing to do")
            return done
        start = prepare(talks["train"], talks["validation"], recipe, out / CHECKPOINTS)
        if recipe.check_memory:
            hear(f"memory: about {_check_memory(start)}")
        trainer = make_trainer(start, hear)
        # All have looked, and all could be set up, before the first one writes.
        trainer.accelerator.wait_for_everyone()
        if is_first_rank():
            claim(out, run)
            remove_broken(out / CHECKPOINTS)
        trainer.accelerator.wait_for_everyone()
        checkpoint = last_checkpoint(out / CHECKPOINTS)
        if checkpoint is not None:
            hear(f"going on from {checkpoint.name}")
        began = time.monotonic()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
        if start.validation is not None and not _is_measured(trainer):
            trainer.evaluate()
        _save(trainer, start, out)
        result = Result(
            run,
            Side(start.train.lengths, start.train.counts),
            Side(start.validation.lengths, start.validation.counts) if start.validation is not None else None,
            points(trainer.state.log_history),
            points(trainer.state.log_history, "eval_"),
            trainer.state.global_step,
            time.monotonic() - began,
            sum(parameter.numel() for parameter in trainer.model.parameters()),
            sum(parameter.numel() for parameter in trainer.model.parameters() if parameter.requires_grad),
            *_peak(),
        )
        if is_first_rank():
            write_card(out, result)
            keep(out, result)
            shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        return result


def check_recipe(recipe: Recipe, train: list[Talk], checkpoints: Path) -> Checked:
    """Tokenizer and template, with every setting checked. Raises UsageError."""
    tokenizer = load_tokenizer(recipe, train)
    template = find_template(recipe.template, tokenizer)
    arguments = sft_config(recipe, template, checkpoints)
    config = _load_config(recipe, tokenizer)
    window = getattr(config.get_text_config(), "max_position_embeddings", None)
    if window is not None and recipe.data.window > window:
        raise ConfigError(f"data.window is {recipe.data.window}, and the model's own window is {window} tokens")
    return Checked(recipe, tokenizer, template, config, arguments, lora_config(recipe))


def prepare(train: list[Talk], validation: list[Talk], recipe: Recipe, checkpoints: Path) -> Start:
    """What was checked, and the rows. Raises UsageError."""
    checked = check_recipe(recipe, train, checkpoints)
    tokenizer, template = checked.tokenizer, checked.template
    rows = make_rows(train, tokenizer, template, recipe.data)
    if not rows.lengths.rows:
        raise UsageError(
            f"no trace is left to train on: {rows.counts.dropped} do not fit into data.window={recipe.data.window} "
            f"tokens, {rows.counts.without_thinking} have a turn without thinking"
        )
    others = make_rows(validation, tokenizer, template, recipe.data) if validation else None
    kept = others if others is not None and others.lengths.rows else None
    if kept is None:
        # A small dataset has no validation split; the recipe may ask for it all the same.
        checked.arguments.eval_strategy = "no"
    return Start(**vars(checked), train=rows, validation=kept)


def load_tokenizer(recipe: Recipe, train: list[Talk]) -> "PreTrainedTokenizerBase":
    """The model's, or a new one. Raises MissingExtra, and UsageError for what is no model."""
    try:
        import transformers  # noqa: PLC0415
        import trl  # noqa: F401, PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training") from error
    if recipe.fresh is not None:
        return make_tokenizer(recipe.fresh, texts(train), recipe.data.window)
    with translated(recipe.model):
        return transformers.AutoTokenizer.from_pretrained(recipe.model, **_source(recipe))


def _load_config(recipe: Recipe, tokenizer: "PreTrainedTokenizerBase") -> "PretrainedConfig":
    import transformers  # noqa: PLC0415

    load_keys(recipe)
    if recipe.fresh is not None:
        return model_config(recipe.fresh, tokenizer, recipe.data.window)
    with translated(recipe.model):
        return transformers.AutoConfig.from_pretrained(recipe.model, **_source(recipe))


def _load_model(start: Start) -> "PreTrainedModel":
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    keys = load_keys(start.recipe)
    if start.recipe.fresh is None:
        with translated(start.recipe.model):
            return transformers.AutoModelForCausalLM.from_pretrained(start.recipe.model, **keys)
    torch.manual_seed(start.arguments.seed)
    try:
        return transformers.AutoModelForCausalLM.from_config(
            start.config, dtype=getattr(torch, keys["dtype"]), attn_implementation=keys.get("attn_implementation")
        )
    except (ValueError, ImportError) as error:
        raise ConfigError(f"section load of the recipe: {first_line(error)}") from error


def _source(recipe: Recipe) -> dict[str, Any]:
    return {key: recipe.load[key] for key in ("revision", "trust_remote_code") if key in recipe.load}


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """What transformers says of a folder or name that gives no model."""
    try:
        yield
    except (OSError, ValueError, KeyError, ImportError, AttributeError, TypeError, RuntimeError) as error:
        raise UsageError(
            f"{name} cannot be loaded as a model: {first_line(error)}\n"
            "--model names a folder or a model on the Hub; `--config tiny-from-scratch` needs neither."
        ) from error


def first_line(error: Exception) -> str:
    """Of what a library says, which may be a page."""
    return next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)


def _check_memory(start: Start) -> object:
    """What the run is going to need. Raises UsageError for more than there is."""
    import torch  # noqa: PLC0415

    bytes_each = getattr(torch, load_keys(start.recipe)["dtype"]).itemsize
    return refuse_too_little(measure(start.config, bytes_each, start.lora), plan_of(start), *free_bytes())


def plan_of(start: Start) -> Plan:
    """How a run trains, as far as memory depends on it."""
    import torch  # noqa: PLC0415

    arguments = start.arguments
    longest = start.recipe.data.window if arguments.packing else start.train.lengths.longest
    keys = load_keys(start.recipe)
    bytes_each = getattr(torch, keys["dtype"]).itemsize
    rows_at_once = max(
        arguments.per_device_train_batch_size,
        arguments.per_device_eval_batch_size if start.validation is not None else 0,
    )
    has_mask = arguments.packing and "flash" not in str(keys.get("attn_implementation"))
    return Plan(
        longest * arguments.per_device_train_batch_size,
        2 if arguments.bf16 or arguments.fp16 else bytes_each,
        bool(arguments.activation_checkpointing),
        str(getattr(arguments.optim, "value", arguments.optim)),
        *shards(),
        on_gpu=torch.cuda.is_available(),
        masked=longest * rows_at_once if has_mask else 0,
    )


def make_trainer(start: Start, hear: Hear) -> "SFTTrainer":
    """TRL's trainer on these rows. Loads or makes the model. Raises UsageError for what the libraries do not take."""
    import datasets  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    from trl import SFTTrainer  # noqa: PLC0415

    model = _load_model(start)
    try:
        trainer = SFTTrainer(
            model,
            args=start.arguments,
            train_dataset=datasets.Dataset(start.train.table),
            eval_dataset=datasets.Dataset(start.validation.table) if start.validation is not None else None,
            processing_class=start.tokenizer,
            peft_config=start.lora,
            callbacks=[telling(hear)],
        )
    except (ValueError, TypeError, ImportError, AttributeError, RuntimeError) as error:
        raise ConfigError(f"TRL does not take these settings: {first_line(error)}") from error
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def telling(hear: Hear) -> Any:
    """A trainer's callback that tells where the run is."""
    import transformers  # noqa: PLC0415

    class Telling(transformers.TrainerCallback):  # type: ignore[misc]  # transformers has no types
        """Tells where the run is."""

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if state.is_world_process_zero and logs:
                told = Told(state.global_step, state.max_steps, state.epoch, logs.get("loss"), logs.get("eval_loss"))
                hear(told)

    return Telling()


def remove_broken(folder: Path) -> None:
    """Checkpoints after the last whole one: they were being written when the run was stopped."""
    for path in _checkpoints(folder):
        if _is_whole(path):
            return
        shutil.rmtree(path)


def last_checkpoint(folder: Path) -> Path | None:
    """The last checkpoint that is whole."""
    return next((path for path in _checkpoints(folder) if _is_whole(path)), None)


def _checkpoints(folder: Path) -> list[Path]:
    """The last one first."""
    return sorted(folder.glob("checkpoint-*"), key=lambda path: int(path.name.rpartition("-")[2]), reverse=True)


def _is_whole(checkpoint: Path) -> bool:
    """The trainer writes its state last."""
    try:
        json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return True


def _is_measured(trainer: "SFTTrainer") -> bool:
    """Whether the finished model was measured on the validation split."""
    measured = [entry["step"] for entry in trainer.state.log_history if "eval_loss" in entry]
    return bool(measured) and measured[-1] == trainer.state.global_step


def _save(trainer: "SFTTrainer", start: Start, out: Path) -> None:
    """Model and tokenizer, with the template that goes with use."""
    trainer.processing_class.chat_template = start.template.inference
    trainer.save_model(str(out))
    if is_first_rank():
        (out / "training_args.bin").unlink(missing_ok=True)  # A pickle; run.json says the same as text.


def _peak() -> tuple[int, str]:
    """The most memory that was in use, and of which device."""
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated()), torch.cuda.get_device_name()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, f"CPU, {torch.get_num_threads()} threads"


@contextlib.contextmanager
def quiet_libraries() -> Iterator[None]:
    """Their bars and hints go to nobody: what a person is told comes from here."""
    try:
        import datasets  # noqa: PLC0415
        import transformers  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training") from error
    shown = transformers.utils.logging.get_verbosity()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    datasets.disable_progress_bars()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            transformers.utils.logging.set_verbosity(shown)
