"""What a run of training needs of memory, worked out before anything is loaded, and what would fit instead.

An estimate: weights, gradients and optimizer are counted exactly, activations by the published rule for a transformer
layer (Korthikanti et al. 2022, https://arxiv.org/abs/2205.05198, section 4, attention that keeps no scores), widened to
what was measured of gated layers, and logits by the tiles in which TRL works out the loss. It leaves out what the
framework itself (about 0.1 GiB on a CPU) and fragmentation take, so a run that is let through may still be too large.
"""

import math
import os
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from cellwright.core.errors import UsageError

if TYPE_CHECKING:
    from peft import LoraConfig
    from torch import nn
    from transformers import PretrainedConfig

GIB = 2**30
_ACTIVATION_BYTES = 47
"""Of a layer, for each token and each unit of its width, in 16 bits. Section 4.1 of the paper has 34; layers of Qwen3,
whose feed-forward part is gated, took 1.37 times as much (docs/log.md)."""
_TILE_TOKENS, _TILE_VOCABULARY = 4096, 32768
"""TRL never holds all logits: those of so many tokens for so much of the vocabulary at once (trl.kernels)."""
_TILE_COPIES, _TILE_COPIES_ON_GPU = 8, 2
"""In 32 bits. Without TRL's kernel for GPUs there are copies for each step of the arithmetic: 7.3 were measured. Those
on a GPU are read from its source, and not measured."""
_MASK_BYTES = 3
"""A byte for each pair of tokens, and its copy in 16 bits, which PyTorch's attention makes of it; read from its source
(aten/src/ATen/native/transformers/attention.cpp, convert_boolean_attn_mask), and not measured."""
# Bytes that the optimizer keeps for a parameter of four bytes; those of its states follow the parameter's kind.
_STATES = {"adafactor": 0.1, "sgd": 0.0, "adamw_8bit": 2.0, "adamw_bnb_8bit": 2.0, "paged_adamw_8bit": 2.0}
_ADAM_STATES = 8.0
_LORA_RANK = 16


@dataclass(frozen=True)
class Size:
    """What of a model decides how much memory it takes."""

    parameters: int
    trained: int
    """Parameters with gradients."""
    linear: int
    """Sum over the linear layers of inputs and outputs: a LoRA of rank r has r times as many parameters."""
    layers: int
    hidden: int
    bytes_each: int
    """Of a parameter."""
    vocabulary: int


@dataclass(frozen=True)
class Plan:
    """How it is trained."""

    tokens: int
    """In one forward pass on one device."""
    activation_bytes: int
    """2 for mixed precision, else 4."""
    checkpointing: bool
    """Whether activations inside a layer are computed again in the backward pass."""
    optimizer: str
    shards: int = 1
    """Devices that share gradients and optimizer."""
    shards_weights: bool = False
    """Whether they share the weights too."""
    on_gpu: bool = False
    masked: int = 0
    """Tokens in one forward pass, of training or of measuring, of which attention keeps a mask for each pair: those of
    packed traces, where it is no flash attention."""


@dataclass(frozen=True)
class Need:
    """Bytes on one device."""

    weights: float
    gradients: float
    optimizer: float
    activations: float
    mask: float
    logits: float

    @property
    def total(self) -> float:
        return sum(self._parts().values())

    def _parts(self) -> dict[str, float]:
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def __str__(self) -> str:
        parts = ", ".join(f"{name} {_gib(value)}" for name, value in self._parts().items() if value)
        return f"{_gib(self.total)} ({parts})"


def measure(config: "PretrainedConfig", bytes_each: int, lora: "LoraConfig | None") -> Size:
    """The size of a model, from its configuration alone: its layers are laid out without memory."""
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    linear = list(_linear_layers(model))
    wanted = None if lora is None else lora.target_modules
    chosen = [size for name, size in linear if not isinstance(wanted, list | set) or name in wanted]
    trained = parameters if lora is None else lora.r * sum(chosen)
    text = config.get_text_config()
    return Size(
        parameters,
        trained,
        sum(size for _, size in linear),
        text.num_hidden_layers,
        text.hidden_size,
        bytes_each,
        text.vocab_size,
    )


def _linear_layers(model: "nn.Module") -> Iterable[tuple[str, int]]:
    """Last part of the name, and inputs plus outputs, of each linear layer but the one that gives the logits."""
    import torch  # noqa: PLC0415

    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear) and not name.endswith("lm_head"):
            yield name.rpartition(".")[2], module.in_features + module.out_features


def need(size: Size, plan: Plan) -> Need:
    """What one device needs."""
    layer = plan.tokens * size.hidden * _ACTIVATION_BYTES * plan.activation_bytes / 2
    kept = plan.tokens * size.hidden * plan.activation_bytes * size.layers
    tile = 4 * min(plan.tokens, _TILE_TOKENS) * min(size.vocabulary, _TILE_VOCABULARY)
    states = _STATES.get(plan.optimizer, _ADAM_STATES) * size.bytes_each / 4
    return Need(
        size.parameters * size.bytes_each / (plan.shards if plan.shards_weights else 1),
        size.trained * size.bytes_each / plan.shards,
        size.trained * states / plan.shards,
        kept + layer if plan.checkpointing else layer * size.layers,
        plan.masked**2 * _MASK_BYTES,
        tile * (_TILE_COPIES_ON_GPU if plan.on_gpu else _TILE_COPIES),
    )


def shards() -> tuple[int, bool]:
    """Over how many devices accelerate spreads this run, and whether it spreads the weights too."""
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if os.environ.get("ACCELERATE_USE_FSDP") == "true":
        return world, True
    if os.environ.get("ACCELERATE_USE_DEEPSPEED") == "true":
        return world, os.environ.get("ACCELERATE_DEEPSPEED_ZERO_STAGE") == "3"
    return 1, False


def free_bytes() -> tuple[int, str]:
    """Memory that a run may take, and whose it is."""
    import torch  # noqa: PLC0415

    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return int(free), torch.cuda.get_device_name()
    found = {line.split(":")[0]: line.split()[1] for line in Path("/proc/meminfo").read_text().splitlines()}
    limits = [int(found["MemAvailable"]) * 1024]
    limit, used = (Path(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if limit.exists() and limit.read_text().strip() != "max":
        limits.append(int(limit.read_text()) - int(used.read_text()))
    return max(0, min(limits)), "this machine, which has no GPU"


def refuse_too_little(size: Size, plan: Plan, free: int, owner: str) -> Need:
    """What the run needs. Raises UsageError where that is more than there is, with what would fit."""
    needed = need(size, plan)
    if needed.total <= free:
        return needed
    options = [f"- {words}: about {_gib(n.total)}" for words, n in _smaller(size, plan) if n.total <= free]
    fits = "What would fit:\n" + "\n".join(options) if options else "Nothing smaller would fit: take a smaller model."
    raise UsageError(
        f"too little memory: training {size.parameters / 1e9:.2f} billion parameters on {plan.tokens} tokens at once "
        f"needs about {needed}; free on {owner}: {_gib(free)}.\n{fits}\n"
        "The recipe tiny-from-scratch fits anywhere. `--set check_memory=false` lets the run try."
    )


def _smaller(size: Size, plan: Plan) -> Iterable[tuple[str, Need]]:
    """Changes that make it smaller, the least first: a shorter window, LoRA, both, more devices."""
    lora = replace(size, trained=size.linear * _LORA_RANK, bytes_each=2)
    words = (
        f"LoRA in 16 bits, `--set lora.r={_LORA_RANK} --set lora.target_modules=all-linear --set load.dtype=bfloat16`"
    )
    for change, changed in (("", size), (words, lora)):
        for tokens in _windows(plan.tokens, is_lora=bool(change)):
            window = f"`--set data.window={tokens}`" if tokens < plan.tokens else ""
            found = need(changed, replace(plan, tokens=tokens, masked=plan.masked * tokens // plan.tokens))
            yield " and ".join(part for part in (change, window) if part), found
    for count in (2, 4, 8, 16):
        sharded = replace(plan, shards=count, shards_weights=True)
        yield f"{count} such devices with FSDP2 (`cellwright train files fsdp2.yaml`)", need(size, sharded)


def _windows(tokens: int, *, is_lora: bool) -> list[int]:
    """The window itself (with LoRA), a half, a quarter, …, down to 2,048 tokens."""
    halvings = int(math.log2(max(1, tokens // 2048)))
    return [tokens >> n for n in range(0 if is_lora else 1, halvings + 1)]


def _gib(count: float) -> str:
    return f"{count / GIB:.1f} GiB" if count >= GIB / 10 else f"{count / 2**20:.0f} MiB"
