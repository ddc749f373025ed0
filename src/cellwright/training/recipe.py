"""A recipe: all that a run of training depends on besides the dataset. One YAML file, `--set a.b=value` on top.

Three sections go on as they are, to the libraries that own them: `load` to the model's loading in transformers, `sft`
to TRL's SFTConfig, `lora` to PEFT's LoraConfig. Their keys are checked against those libraries (`settings.py`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from cellwright.core.config import AtLeastOne, load_settings
from cellwright.core.errors import ConfigError
from cellwright.dataset.chat import Rendering

TooLong = Literal["cut", "drop", "refuse"]


@dataclass(frozen=True)
class DataConfig:
    """Which traces, and how long."""

    rendering: Rendering = "non-thinking"
    """`thinking` for models that think aloud."""
    window: AtLeastOne = 32768
    """Tokens that one trace, or one pack of traces, may have."""
    too_long: TooLong = "cut"
    """What becomes of a longer trace. `cut`: it ends after the last turn that fits; `drop`: it goes; `refuse`: the run
    does not begin. Each is counted."""


@dataclass(frozen=True)
class FreshConfig:
    """A new model of Qwen3's architecture with random weights, and a tokenizer trained on the dataset."""

    vocabulary: AtLeastOne = 2048
    """Tokens at the most."""
    layers: AtLeastOne = 3
    hidden: AtLeastOne = 128
    """Width of the residual stream."""
    feedforward: AtLeastOne = 384
    """Width inside the feed-forward layers."""
    heads: AtLeastOne = 4
    key_value_heads: AtLeastOne = 2


@dataclass(frozen=True)
class Recipe:
    """All settings of `cellwright train sft`."""

    model: str = ""
    """A name on the Hub, or a folder; empty with `fresh`."""
    template: str = "auto"
    """Chat template: one of ours, a .jinja file with generation tags, or `auto` for the model's own."""
    data: DataConfig = field(default_factory=DataConfig)
    fresh: FreshConfig | None = None
    """Makes a model instead of loading one."""
    load: Mapping[str, Any] = field(default_factory=dict)
    """Passed to transformers: dtype, attn_implementation, revision, trust_remote_code."""
    sft: Mapping[str, Any] = field(default_factory=dict)
    """Passed to TRL's SFTConfig, which is all of transformers' TrainingArguments and more."""
    on_policy: Mapping[str, Any] = field(default_factory=dict)
    """Passed to TRL's DistillationConfig, where a student is taught on policy: max_completion_length, temperature, beta
    and so on; what it has in common with `sft` it takes from there."""
    lora: Mapping[str, Any] | None = None
    """Passed to PEFT's LoraConfig; None trains all parameters."""
    check_memory: bool = True
    """Whether a run that would not fit into memory is refused before it loads anything."""


def shipped() -> tuple[str, ...]:
    """Names of the recipes that come with Cellwright."""
    return tuple(sorted(path.name.removesuffix(".yaml") for path in _folder().iterdir() if path.name.endswith(".yaml")))


def recipe_path(name: str) -> Path:
    """The file of a shipped recipe, or the file of that name. Raises ConfigError where there is neither."""
    if name in shipped():
        return Path(str(_folder() / f"{name}.yaml"))
    if not Path(name).is_file():
        raise ConfigError(f"there is no recipe {name!r}: take {', '.join(shipped())}, or a YAML file")
    return Path(name)


def load_recipe(name: str, changes: Sequence[str], model: str | None = None) -> Recipe:
    """A recipe by its name or file, then changes, then the model that was named. Raises ConfigError."""
    recipe = load_settings(Recipe, recipe_path(name), changes, {"model": model})
    if bool(recipe.model) == (recipe.fresh is not None):
        either = "names a model and makes a `fresh` one" if recipe.model else "names no model"
        raise ConfigError(f"the recipe {name} {either}: it takes exactly one; --model names one")
    return recipe


def _folder() -> Any:
    return files(__package__) / "recipes"
