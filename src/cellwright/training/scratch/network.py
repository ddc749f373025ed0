"""Qwen3's architecture over a mapping of weights, for training: the names and the arithmetic are those of transformers.

Written out, as it is a third faster at this size than the modules of transformers; tests hold the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellwright.models.builtin.network import Shape

if TYPE_CHECKING:
    from torch import Tensor

Weights = Mapping[str, "Tensor"]
_INITIAL_STD = 0.05


def initial_weights(shape: Shape, seed: int) -> dict[str, "Tensor"]:
    """Random matrices; norms that change nothing."""
    import torch  # noqa: PLC0415

    generator = torch.Generator().manual_seed(seed)
    found = {
        name: torch.ones(size) if len(size) == 1 else torch.randn(size, generator=generator) * _INITIAL_STD
        for name, size in shape.sizes().items()
    }
    return {name: weight.requires_grad_() for name, weight in found.items()}


def loss(weights: Weights, shape: Shape, numbers: "Tensor", targets: "Tensor") -> "Tensor":
    """Mean cross-entropy of the targets that are not negative. `numbers` and `targets`: rows by places, padded on the
    right, where nothing looks back from."""
    import torch  # noqa: PLC0415

    hidden = _hidden(weights, shape, numbers)
    wanted = targets >= 0
    logits = torch.nn.functional.linear(hidden[wanted], weights["model.embed_tokens.weight"])
    return torch.nn.functional.cross_entropy(logits, targets[wanted])


def _hidden(weights: Weights, shape: Shape, numbers: "Tensor") -> "Tensor":
    from torch.nn import functional  # noqa: PLC0415

    turn = _Rotation.of(shape, numbers.shape[1])
    x = functional.embedding(numbers, weights["model.embed_tokens.weight"])
    for layer in range(shape.layers):
        own = {name: weights[f"model.layers.{layer}.{name}.weight"] for name in shape.layer_sizes()}
        normed = functional.rms_norm(x, (shape.hidden,), own["input_layernorm"], shape.epsilon)
        x = x + _attention(own, shape, normed, turn)
        normed = functional.rms_norm(x, (shape.hidden,), own["post_attention_layernorm"], shape.epsilon)
        gate = functional.silu(functional.linear(normed, own["mlp.gate_proj"]))
        x = x + functional.linear(gate * functional.linear(normed, own["mlp.up_proj"]), own["mlp.down_proj"])
    return functional.rms_norm(x, (shape.hidden,), weights["model.norm.weight"], shape.epsilon)


@dataclass(frozen=True)
class _Rotation:
    """Cosines and sines of rotary positions, places by half of a head."""

    cosines: "Tensor"
    sines: "Tensor"

    @classmethod
    def of(cls, shape: Shape, places: int) -> "_Rotation":
        import torch  # noqa: PLC0415

        half = torch.arange(0, shape.head, 2) / shape.head
        angles = torch.outer(torch.arange(places), shape.rotary_base**-half)
        return cls(angles.cos(), angles.sin())

    def __call__(self, x: "Tensor") -> "Tensor":
        import torch  # noqa: PLC0415

        first, second = x.chunk(2, -1)
        return torch.cat((first * self.cosines - second * self.sines, second * self.cosines + first * self.sines), -1)


def _attention(own: Weights, shape: Shape, x: "Tensor", turn: _Rotation) -> "Tensor":
    from torch.nn import functional  # noqa: PLC0415

    rows, places, _ = x.shape

    def heads(name: str, count: int) -> "Tensor":
        return functional.linear(x, own[f"self_attn.{name}_proj"]).view(rows, places, count, shape.head)

    def turned(name: str, count: int) -> "Tensor":
        normed = functional.rms_norm(heads(name, count), (shape.head,), own[f"self_attn.{name}_norm"], shape.epsilon)
        return turn(normed.transpose(1, 2))

    query, key, value = (
        turned("q", shape.heads),
        turned("k", shape.key_heads),
        heads("v", shape.key_heads).transpose(1, 2),
    )
    repeat = shape.heads // shape.key_heads
    key, value = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
    seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return functional.linear(seen.transpose(1, 2).reshape(rows, places, -1), own["self_attn.o_proj"])
