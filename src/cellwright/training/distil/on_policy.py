"""On policy: the student says its own turns anew, and a teacher weighs each token of them. The training is TRL's.

Where it stands when it speaks is where its own failed runs came to, in the agent's loop and in real kernels; from each
of these places it says one turn, as it is by then, and is drawn to what the teacher would have said there (Agarwal et
al. 2024, https://arxiv.org/abs/2306.13649). The tools of TRL's trainer are not used: they are plain functions, the same
ones for all samples, where a cell belongs into the kernel of its own run.

The teacher is weights in this process, with the student's vocabulary. Nobody asks here what is right: a teacher that
is wrong teaches that too.
"""

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.core.errors import ConfigError, MissingExtra, UsageError
from cellwright.core.hashing import sha256_bytes
from cellwright.core.types import Task, ToolCall, Trace
from cellwright.dataset.chat import chat_row
from cellwright.training.card import on_policy_card
from cellwright.training.memory import Need, Plan, free_bytes, measure, refuse_too_little, shards
from cellwright.training.recipe import Recipe
from cellwright.training.record import OnPolicyResult, OnPolicyRun, claim, keep, look_on_policy, points
from cellwright.training.rows import as_talk
from cellwright.training.settings import load_keys, on_policy_config
from cellwright.training.sft import (
    CHECKPOINTS,
    Hear,
    first_line,
    last_checkpoint,
    quiet_libraries,
    remove_broken,
    telling,
    translated,
)
from cellwright.training.templates import find_template, prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase
    from trl import DistillationConfig

_LIBRARIES = ("cellwright", "torch", "transformers", "trl")


def turns_of(runs: Iterable[tuple[Task, Trace]], recipe: Recipe) -> list[str]:
    """What the recipe's model is given before each turn of these runs, each text once, with old outputs whole where the
    loop would have folded them. Raises UsageError."""
    with quiet_libraries():
        tokenizer = _tokenizer(recipe.model)
        template = find_template(recipe.template, tokenizer, trains=False)
        found: dict[str, None] = {}
        for task, trace in runs:
            # A call that is no JSON cannot be written down as one; what came before it can.
            stop = next((n for n, m in enumerate(trace.messages) if not all(map(_can_be_told, m.tool_calls))), None)
            ends = [
                n for n, m in enumerate(trace.messages[: None if stop is None else stop + 1]) if m.role == "assistant"
            ]
            known = replace(trace, messages=trace.messages[:stop])
            talk = as_talk(chat_row(task, known, recipe.data.rendering))
            for end in ends:
                ids = prompt(tokenizer, template, talk.messages[:end], talk.tools)
                text = str(tokenizer.decode(ids))
                if tuple(tokenizer(text)["input_ids"]) != ids:
                    raise UsageError(f"the tokenizer of {recipe.model} reads a turn's text as other tokens")
                found[text] = None
    return list(found)


def _can_be_told(call: ToolCall) -> bool:
    try:
        arguments = json.loads(call.arguments_json)
    except (ValueError, RecursionError):
        return False
    return isinstance(arguments, dict) and isinstance(arguments.get("comment", ""), str)


def learn(turns: Sequence[str], teacher: str, recipe: Recipe, out: Path, hear: Hear) -> OnPolicyResult:
    """Train the recipe's model where it stands before these turns; the model and its record go into `out`.

    Raises UsageError for what cannot be trained so. A run that was stopped goes on from its last whole checkpoint.
    """
    run = OnPolicyRun(
        teacher,
        recipe,
        sha256_bytes(json.dumps(turns).encode()),
        {name: version(name) for name in _LIBRARIES},
    )
    if done := look_on_policy(out, run):
        hear(f"{out} is trained already: nothing to do")
        return done
    with quiet_libraries():
        tokenizer, arguments = _checked(recipe, teacher, out / CHECKPOINTS)
        template = find_template(recipe.template, tokenizer, trains=False)
        said = arguments.max_completion_length or 0
        lengths = [len(tokenizer(turn)["input_ids"]) for turn in turns]
        fitting = [turn for turn, length in zip(turns, lengths, strict=True) if length + said <= recipe.data.window]
        if not fitting:
            raise UsageError(
                f"no turn is left to learn: none of {len(turns)} has room in data.window={recipe.data.window}"
            )
        if recipe.check_memory:
            longest = max(length for length in lengths if length + said <= recipe.data.window) + said
            hear(f"memory: about {_check_memory(recipe, teacher, arguments, longest)}, and the teacher")
        student, master = (_load(name, recipe) for name in (recipe.model, teacher))
        # TRL leaves out a batch that is not full: few turns would be none.
        batch = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps * arguments.world_size
        trainer = _trainer(student, master, tokenizer, arguments, fitting * -(-batch // len(fitting)), hear)
        claim(out, run)
        remove_broken(out / CHECKPOINTS)
        checkpoint = last_checkpoint(out / CHECKPOINTS)
        if checkpoint is not None:
            hear(f"going on from {checkpoint.name}")
        began = time.monotonic()
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint is not None else None)
        tokenizer.chat_template = template.inference
        trainer.save_model(str(out))
        tokenizer.save_pretrained(str(out))
        (out / "training_args.bin").unlink(missing_ok=True)  # A pickle; the record says the same as text.
        result = OnPolicyResult(
            run,
            len(fitting),
            len(turns) - len(fitting),
            trainer.state.global_step,
            time.monotonic() - began,
            points(trainer.state.log_history),
        )
        (out / "README.md").write_text(on_policy_card(result), encoding="utf-8")
        keep(out, result)
        shutil.rmtree(out / CHECKPOINTS, ignore_errors=True)
        return result


def check_on_policy(recipe: Recipe, teacher: str) -> None:
    """Raises UsageError for a recipe that does not do, and a teacher of another vocabulary."""
    with quiet_libraries():
        tokenizer, _ = _checked(recipe, teacher, Path(CHECKPOINTS))
        find_template(recipe.template, tokenizer, trains=False)


def _checked(recipe: Recipe, teacher: str, checkpoints: Path) -> "tuple[PreTrainedTokenizerBase, DistillationConfig]":
    if recipe.fresh is not None or recipe.lora is not None:
        raise ConfigError("on policy a whole model learns, which can speak already: no `fresh` and no `lora`")
    load_keys(recipe)
    arguments = on_policy_config(recipe, checkpoints)
    tokenizer = _tokenizer(recipe.model)
    if tokenizer.get_vocab() != _tokenizer(teacher).get_vocab():
        raise UsageError(
            f"{teacher} does not have the vocabulary of {recipe.model}, so it cannot weigh its tokens: take a teacher "
            "of the same family, or let it answer, without --on-policy"
        )
    return tokenizer, arguments


def _check_memory(recipe: Recipe, teacher: str, arguments: "DistillationConfig", longest: int) -> Need:
    """What the student needs. Raises UsageError where that and the teacher's weights are more than there is."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    bytes_each = getattr(torch, load_keys(recipe)["dtype"]).itemsize
    with translated(teacher):
        size, others = (
            measure(transformers.AutoConfig.from_pretrained(name), bytes_each, None) for name in (recipe.model, teacher)
        )
    plan = Plan(
        longest * arguments.per_device_train_batch_size,
        2 if arguments.bf16 or arguments.fp16 else bytes_each,
        bool(arguments.gradient_checkpointing),
        str(getattr(arguments.optim, "value", arguments.optim)),
        *shards(),
        on_gpu=torch.cuda.is_available(),
    )
    free, owner = free_bytes()
    return refuse_too_little(size, plan, free - others.parameters * bytes_each, f"{owner}, beside the teacher")


def _tokenizer(name: str) -> "PreTrainedTokenizerBase":
    try:
        import transformers  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training") from error
    with translated(name):
        # Batches of prompts are padded before their beginning, so that what is said follows each.
        return transformers.AutoTokenizer.from_pretrained(name, padding_side="left")


def _load(name: str, recipe: Recipe) -> "PreTrainedModel":
    import transformers  # noqa: PLC0415

    with translated(name):
        return transformers.AutoModelForCausalLM.from_pretrained(name, **load_keys(recipe))


def _trainer(
    student: "PreTrainedModel",
    teacher: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    arguments: "DistillationConfig",
    turns: Sequence[str],
    hear: Hear,
) -> Any:
    import datasets  # noqa: PLC0415
    import transformers  # noqa: PLC0415
    from trl import DistillationTrainer  # noqa: PLC0415

    try:
        trainer = DistillationTrainer(
            student,
            teacher_model=teacher,
            args=arguments,
            train_dataset=datasets.Dataset.from_dict({"prompt": list(turns)}),
            processing_class=tokenizer,
            callbacks=[telling(hear)],
        )
    except (ValueError, TypeError, ImportError, AttributeError, RuntimeError) as error:
        raise ConfigError(f"TRL does not take these settings: {first_line(error)}") from error
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer
