"""How much arithmetic training is, written out, and how much of it a device can do.

Counted is what a training step needs, not what it does: activations that are computed a second time to save memory,
padding, and scores between documents that may not see each other are no use to anybody.
"""

from collections.abc import Iterable
from dataclasses import dataclass

_FORWARD_AND_BACKWARD = 3
"""The backward pass takes two products for each one of the forward pass."""
_PER_PARAMETER = 2
"""A multiplication and an addition, for each token."""

# Dense, in 16 bits with sums in 32, by makers' data sheets. Longer names stand before what they begin with.
PEAKS: tuple[tuple[str, float], ...] = (
    ("NVIDIA B200", 2250e12),
    ("NVIDIA H200", 989e12),
    ("NVIDIA H100 NVL", 835e12),
    ("NVIDIA H100 PCIe", 756e12),
    ("NVIDIA H100", 989e12),
    ("NVIDIA A100", 312e12),
    ("NVIDIA L40S", 362e12),
    ("NVIDIA L4", 121e12),
    ("NVIDIA A10G", 70e12),
    ("NVIDIA A10", 125e12),
)


@dataclass(frozen=True)
class Network:
    """What of a decoder decides how much arithmetic a token is."""

    multiplied: int
    """Parameters that a token is multiplied with: all but an embedding that is only looked up."""
    layers: int
    attention_width: int
    """Heads times the width of one."""


def document_flops(network: Network, tokens: int) -> float:
    """To train on one document, which sees itself and nothing else.

    Parameters: 6 for each of them and each token. Attention: a token's query is multiplied with the keys of all tokens
    up to it, and their values are summed, which is half of what a square of scores would be.
    """
    parameters = _PER_PARAMETER * network.multiplied * tokens
    scores_and_sums = 2 * 2 * network.layers * network.attention_width * tokens * tokens / 2
    return _FORWARD_AND_BACKWARD * (parameters + scores_and_sums)


def flops_a_token(network: Network, documents: Iterable[int]) -> float:
    """The mean over documents of these lengths."""
    lengths = list(documents)
    return sum(document_flops(network, tokens) for tokens in lengths) / sum(lengths)


def peak_flops(device: str) -> float | None:
    """Of a device by its name, a second; None for one that is not known."""
    return next((peak for name, peak in PEAKS if device.startswith(name)), None)
