"""Qwen3's architecture in numpy: one token after the other, keys and values kept. For models of a few megabytes.

Weights have the names that transformers gives them and come from a safetensors file. Needs numpy, which comes with the
extra [data].
"""

import json
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cellwright.core.errors import MissingExtra, ModelMisused

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, np.dtype[Any]]

ARCHITECTURE = "Qwen3ForCausalLM"
CONFIG, WEIGHTS = "config.json", "model.safetensors"
_TYPES = {"F16": "<f2", "F32": "<f4"}


@dataclass(frozen=True)
class Shape:
    """The sizes of a model with tied embeddings."""

    vocabulary: int
    hidden: int = 128
    layers: int = 3
    heads: int = 4
    key_heads: int = 2
    head: int = 32
    between: int = 384
    """Width of the layer between, in the feed-forward part."""
    window: int = 1024
    """Tokens."""
    rotary_base: float = 10_000.0
    epsilon: float = 1e-6

    def layer_sizes(self) -> dict[str, tuple[int, ...]]:
        """Of each weight of one layer, rows by columns."""
        queries, keys = self.heads * self.head, self.key_heads * self.head
        return {
            "input_layernorm": (self.hidden,),
            "self_attn.q_proj": (queries, self.hidden),
            "self_attn.k_proj": (keys, self.hidden),
            "self_attn.v_proj": (keys, self.hidden),
            "self_attn.o_proj": (self.hidden, queries),
            "self_attn.q_norm": (self.head,),
            "self_attn.k_norm": (self.head,),
            "post_attention_layernorm": (self.hidden,),
            "mlp.gate_proj": (self.between, self.hidden),
            "mlp.up_proj": (self.between, self.hidden),
            "mlp.down_proj": (self.hidden, self.between),
        }

    def sizes(self) -> dict[str, tuple[int, ...]]:
        """Of each weight by its name in the file."""
        found: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (self.vocabulary, self.hidden)}
        for layer in range(self.layers):
            found |= {f"model.layers.{layer}.{name}.weight": size for name, size in self.layer_sizes().items()}
        return {**found, "model.norm.weight": (self.hidden,)}

    def config(self, end: int, padding: int) -> dict[str, object]:
        """The config.json of transformers; `end` and `padding` are numbers of tokens."""
        return {
            "architectures": [ARCHITECTURE],
            "model_type": "qwen3",
            "vocab_size": self.vocabulary,
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.key_heads,
            "head_dim": self.head,
            "intermediate_size": self.between,
            "max_position_embeddings": self.window,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rotary_base},
            "rms_norm_eps": self.epsilon,
            "tie_word_embeddings": True,
            "bos_token_id": None,
            "eos_token_id": end,
            "pad_token_id": padding,
            "dtype": "float32",
        }

    @classmethod
    def load(cls, path: Path) -> "Shape":
        """From a config.json. Raises ModelMisused for another architecture."""
        try:
            config = json.loads(path.read_text(encoding="utf-8"))
            if ARCHITECTURE not in config["architectures"] or not config["tie_word_embeddings"]:
                raise ModelMisused(f"{path} is not of {ARCHITECTURE} with tied embeddings")
            return cls(
                config["vocab_size"],
                config["hidden_size"],
                config["num_hidden_layers"],
                config["num_attention_heads"],
                config["num_key_value_heads"],
                config["head_dim"],
                config["intermediate_size"],
                config["max_position_embeddings"],
                config["rope_parameters"]["rope_theta"],
                config["rms_norm_eps"],
            )
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelMisused(f"{path} cannot be read: {error!r}") from error


def load_weights(path: Path) -> dict[str, "Array"]:
    """The tensors of a safetensors file, as 32-bit floats. Raises ModelMisused, and MissingExtra without numpy."""
    np = _numpy()
    try:
        data = path.read_bytes()
        (length,) = struct.unpack("<Q", data[:8])
        head = json.loads(data[8 : 8 + length])
        found: dict[str, Array] = {}
        for name, entry in head.items():
            if name != "__metadata__":
                begin, end = (8 + length + offset for offset in entry["data_offsets"])
                values = np.frombuffer(data[begin:end], _TYPES[entry["dtype"]])
                found[name] = values.reshape(entry["shape"]).astype(np.float32)
    except (OSError, ValueError, KeyError, TypeError, struct.error) as error:
        raise ModelMisused(f"{path} cannot be read as weights: {error!r}") from error
    return found


def save_weights(weights: Mapping[str, "Array"], path: Path) -> None:
    """Write a safetensors file of 16-bit floats, the same for the same weights to the byte."""
    np = _numpy()
    head: dict[str, object] = {"__metadata__": {"format": "pt"}}
    parts: list[bytes] = []
    at = 0
    for name, values in weights.items():
        part = values.astype(np.float16).tobytes()
        head[name] = {"dtype": "F16", "shape": list(values.shape), "data_offsets": [at, at + len(part)]}
        parts.append(part)
        at += len(part)
    text = json.dumps(head).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(parts))


class Network:
    """Weights that can be run. Holds no state of a chat: see `Reading`."""

    def __init__(self, shape: Shape, weights: Mapping[str, "Array"]) -> None:
        """Raises ModelMisused where weights are missing or of another size."""
        for name, size in shape.sizes().items():
            if name not in weights or weights[name].shape != size:
                raise ModelMisused(f"the weights have no {name} of size {size}")
        self.shape, self.weights = shape, weights


class Reading:
    """One text under way: keys and values of what was read."""

    def __init__(self, network: Network) -> None:
        self._np = _numpy()
        self._network = network
        shape = network.shape
        size = (shape.layers, 2, shape.key_heads, shape.window, shape.head)
        self._kept: Array = self._np.zeros(size, self._np.float32)
        self._places = 0
        half = self._np.arange(0, shape.head, 2) / shape.head
        self._angles = self._np.outer(self._np.arange(shape.window), shape.rotary_base**-half)

    @property
    def places(self) -> int:
        """Tokens read."""
        return self._places

    def read(self, numbers: Sequence[int]) -> "Array":
        """Read on; the logits of what comes next, one for each token of the vocabulary."""
        shape, weights = self._network.shape, self._network.weights
        embedding = weights["model.embed_tokens.weight"]
        x = embedding[list(numbers)]
        for layer in range(shape.layers):
            own = {name: weights[f"model.layers.{layer}.{name}.weight"] for name in shape.layer_sizes()}
            x = x + self._attention(layer, own, self._normed(x, own["input_layernorm"]))
            normed = self._normed(x, own["post_attention_layernorm"])
            gate = normed @ own["mlp.gate_proj"].T
            gate = gate / (1 + self._np.exp(-gate))
            x = x + (gate * (normed @ own["mlp.up_proj"].T)) @ own["mlp.down_proj"].T
        self._places += len(numbers)
        last: Array = self._normed(x[-1], weights["model.norm.weight"])
        return last @ embedding.T

    def _attention(self, layer: int, own: Mapping[str, "Array"], x: "Array") -> "Array":
        np, shape = self._np, self._network.shape
        begin, end = self._places, self._places + len(x)

        def heads(name: str, count: int) -> "Array":
            return (x @ own[f"self_attn.{name}_proj"].T).reshape(len(x), count, shape.head)

        query = self._turned(self._normed(heads("q", shape.heads), own["self_attn.q_norm"]))
        key = self._turned(self._normed(heads("k", shape.key_heads), own["self_attn.k_norm"]))
        self._kept[layer, 0, :, begin:end] = key.transpose(1, 0, 2)
        self._kept[layer, 1, :, begin:end] = heads("v", shape.key_heads).transpose(1, 0, 2)
        keys, values = self._kept[layer, :, :, :end].repeat(shape.heads // shape.key_heads, 1)
        scores = query.transpose(1, 0, 2) @ keys.transpose(0, 2, 1) / np.sqrt(np.float32(shape.head))
        if len(x) > 1:  # What comes later is not seen.
            scores = np.where(np.arange(end) <= np.arange(begin, end)[:, None], scores, np.float32("-inf"))
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True)) @ values
        found: Array = seen.transpose(1, 0, 2).reshape(len(x), -1) @ own["self_attn.o_proj"].T
        return found

    def _normed(self, x: "Array", weight: "Array") -> "Array":
        found: Array = x / self._np.sqrt((x * x).mean(-1, keepdims=True) + self._network.shape.epsilon) * weight
        return found

    def _turned(self, x: "Array") -> "Array":
        """With rotary positions. `x`: places by heads by values."""
        angles = self._angles[self._places : self._places + len(x), None].astype(self._np.float32)
        cosines, sines = self._np.cos(angles), self._np.sin(angles)
        first, second = self._np.split(x, 2, -1)
        found: Array = self._np.concatenate((first * cosines - second * sines, second * cosines + first * sines), -1)
        return found


def greedy(network: Network, numbers: Sequence[int], end: int, most: int) -> Iterator[int]:
    """What the network would say next, always its likeliest token, to `end` or so many. The window is the caller's."""
    reading = Reading(network)
    logits = reading.read(numbers)
    for _ in range(most):
        number = int(logits.argmax())
        yield number
        if number == end:
            return
        logits = reading.read([number])


def _numpy() -> Any:
    try:
        import numpy  # noqa: PLC0415 - not in the base install
    except ImportError as error:
        raise MissingExtra("data", "the built-in model") from error
    return numpy
