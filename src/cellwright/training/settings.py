"""The sections of a recipe that other libraries own, checked against them: unknown keys are refused, and so are keys
that Cellwright sets itself, with what to use instead."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from cellwright.core.config import refuse_unknown
from cellwright.core.errors import ConfigError
from cellwright.training.recipe import Recipe
from cellwright.training.templates import Template

if TYPE_CHECKING:
    from peft import LoraConfig
    from trl import DistillationConfig, SFTConfig

LOAD_KEYS = ("attn_implementation", "dtype", "revision", "trust_remote_code")
_DTYPES = ("float32", "bfloat16", "float16")
_PACKING = ("bfd", "bfd_split")
"""TRL's ways of packing that keep documents apart."""
_NOT_ON_POLICY = ("eval_strategy", "eval_steps", "load_best_model_at_end", "neftune_noise_alpha", "shuffle_dataset")
"""Keys of `sft` that are not for a student who speaks while it learns: noise would be in what it says."""
_AT_LEAST_ONE = ("per_device_train_batch_size", "per_device_eval_batch_size", "gradient_accumulation_steps")
_OURS = {
    "output_dir": "--out",
    "max_length": "data.window",
    "truncation_mode": "data.too_long",
    "assistant_only_loss": "the template, whose generation tags say what is trained",
    "completion_only_loss": "the template, whose generation tags say what is trained",
    "chat_template_path": "template",
    "eos_token": "template",
    "dataset_text_field": "data.rendering",
    "dataset_kwargs": "data",
    "model_init_kwargs": "load",
    "resume_from_checkpoint": "the same command again, which goes on from its last checkpoint",
}


def sft_config(recipe: Recipe, template: Template, out: Path) -> "SFTConfig":
    """TRL's configuration. Raises ConfigError for what TRL does not know or does not take."""
    from trl import SFTConfig  # noqa: PLC0415

    _check_sft(recipe)
    defaults: Mapping[str, Any] = {
        # TRL's is eight: eight packed windows, side by side, whatever one step of training has.
        "per_device_eval_batch_size": recipe.sft.get("per_device_train_batch_size", 8),
        **_defaults(),
    }
    owned: Mapping[str, Any] = {
        "output_dir": str(out),
        "max_length": recipe.data.window,
        "eos_token": template.end,
        "dataset_num_proc": None,
    }
    try:
        found = SFTConfig(**{**defaults, **_without_no(recipe.sft), **owned})
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"section sft of the recipe: {error}") from error
    if found.max_steps <= 0 and found.num_train_epochs <= 0:
        raise ConfigError(f"sft.num_train_epochs is {found.num_train_epochs:g}: there would be no step")
    if found.packing and found.packing_strategy not in _PACKING:
        raise ConfigError(
            f"sft.packing_strategy={found.packing_strategy} would cut traces and let each see the one before; take "
            f"{' or '.join(_PACKING)}"
        )
    return found


def _defaults() -> dict[str, Any]:
    """Of every trainer: nothing is told but by us."""
    import torch  # noqa: PLC0415

    return {
        "report_to": "none",
        "use_cpu": not torch.cuda.is_available(),
        "logging_steps": 10,
        "save_total_limit": 2,
        "disable_tqdm": True,
    }


def _without_no(section: Mapping[str, Any]) -> dict[str, Any]:
    """YAML reads a bare `no` as false, and "no" is what strategies are called without."""
    return {key: "no" if value is False and key.endswith("_strategy") else value for key, value in section.items()}


def _check_sft(recipe: Recipe) -> None:
    from trl import SFTConfig  # noqa: PLC0415

    for key in recipe.sft:
        if key in _OURS:
            raise ConfigError(f"sft.{key} is set by Cellwright: use {_OURS[key]}")
    refuse_unknown(recipe.sft, [f.name for f in dataclasses.fields(SFTConfig) if f.name not in _OURS], "sft.")
    _check_values(recipe.sft, SFTConfig, "sft")


def on_policy_config(recipe: Recipe, out: Path) -> "DistillationConfig":
    """TRL's configuration of distillation. Raises ConfigError for what TRL does not know or does not take."""
    from trl import DistillationConfig  # noqa: PLC0415

    _check_sft(recipe)
    known = [f.name for f in dataclasses.fields(DistillationConfig) if f.name not in _OURS]
    refuse_unknown(recipe.on_policy, known, "on_policy.")
    _check_values(recipe.on_policy, DistillationConfig, "on_policy")
    # Nothing is measured beside: there is no right answer to a turn.
    common = {key: recipe.sft[key] for key in recipe.sft if key in known and key not in _NOT_ON_POLICY}
    settings = {**_defaults(), **_without_no({**common, **recipe.on_policy}), "output_dir": str(out)}
    try:
        return DistillationConfig(**settings)
    except (ValueError, TypeError, ImportError) as error:
        raise ConfigError(f"section on_policy of the recipe: {error}") from error


def _check_values(section: Mapping[str, Any], kind: type, name: str) -> None:
    """Values against the types of another library's settings, where msgspec knows these. Raises ConfigError."""
    hints = get_type_hints(kind)
    for key, value in section.items():
        try:
            msgspec.convert(value, hints[key])
        except msgspec.ValidationError as error:
            if not (value is False and key.endswith("_strategy")):
                raise ConfigError(f"{name}.{key}={value}: {error}") from None
        except TypeError:  # not one of msgspec's types; the library says itself what it takes
            continue
    for key in _AT_LEAST_ONE:
        if section.get(key, 1) < 1:
            raise ConfigError(f"{name}.{key}={section[key]}: at least 1")


def lora_config(recipe: Recipe) -> "LoraConfig | None":
    """PEFT's configuration. Raises ConfigError for what PEFT does not know or does not take."""
    from peft import LoraConfig  # noqa: PLC0415

    if recipe.lora is None:
        return None
    refuse_unknown(recipe.lora, [f.name for f in dataclasses.fields(LoraConfig)], "lora.")
    try:
        return LoraConfig(**{"task_type": "CAUSAL_LM", **recipe.lora})
    except (ValueError, TypeError) as error:
        raise ConfigError(f"section lora of the recipe: {error}") from error


def load_keys(recipe: Recipe) -> dict[str, Any]:
    """What the model is loaded with. Raises ConfigError for a key that is not passed on."""
    refuse_unknown(recipe.load, LOAD_KEYS, "load.")
    keys = {"dtype": "float32", **recipe.load}
    if keys["dtype"] not in _DTYPES:
        raise ConfigError(f"load.dtype={keys['dtype']}: one of {', '.join(_DTYPES)}")
    return keys
