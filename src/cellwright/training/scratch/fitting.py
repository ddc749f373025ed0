"""Training from random weights on one CPU thread: Muon for matrices, AdamW for the rest, batches of like length.

Muon is Keller Jordan's (https://kellerjordan.github.io/posts/muon/): momentum, made orthogonal by Newton and Schulz.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cellwright.core.errors import MissingExtra
from cellwright.models.builtin.network import Shape
from cellwright.training.scratch import network
from cellwright.training.scratch.encoding import Sample

if TYPE_CHECKING:
    from torch import Tensor

_MOMENTUM = 0.95
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_NEWTON_SCHULZ_STEPS = 5
_BATCHES_SORTED = 16
"""Batches out of so many samples are cut from them in order of length: little padding, and still at random."""
_NOT_LEARNT = -1


@dataclass(frozen=True)
class Fit:
    """How to train."""

    steps: int
    batch: int = 32
    """Lessons in a step."""
    matrix_rate: float = 0.02
    """Muon's rate at its highest."""
    other_rate: float = 3e-3
    """AdamW's, for embeddings and norms."""
    warm_up: int = 50
    """Steps."""
    constant_share: float = 0.4
    """Share of the steps after which rates begin to fall, to a twentieth at the end."""
    short_share: float = 0.2
    """Share of the steps that take the shorter half of the lessons: what copying is, is learnt on those."""
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """Where a training is."""

    step: int
    loss: float
    """Mean of the steps since the last one told."""
    tokens: int
    cpu_s: float


def fit(
    epochs: Iterator[Sequence[Sample]],
    shape: Shape,
    how: Fit,
    tell: Callable[[Progress], None] = lambda progress: None,
    tell_every: int = 50,
    begin: Mapping[str, "Tensor"] | None = None,
) -> dict[str, "Tensor"]:
    """Weights after training; the same for the same seed and library. `begin`: from these, not from random ones.

    Raises MissingExtra.
    """
    try:
        import torch  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("train", "training") from error
    torch.set_num_threads(1)
    weights = network.initial_weights(shape, how.seed)
    if begin is not None:
        weights = {name: begin[name].clone().requires_grad_() for name in weights}
    matrices = [w for name, w in weights.items() if w.ndim == 2 and "embed" not in name]
    muon = Muon(matrices)
    others = [w for name, w in weights.items() if w.ndim != 2 or "embed" in name]
    adam = torch.optim.AdamW(others, betas=(0.9, 0.95), weight_decay=0.0)
    began, tokens, losses = time.process_time(), 0, list[float]()
    for step, batch in zip(range(how.steps), _batches(epochs, how), strict=False):
        numbers, targets = _padded(batch)
        loss = network.loss(weights, shape, numbers, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        rate = _rate(step, how)
        muon.step(how.matrix_rate * rate)
        adam.param_groups[0]["lr"] = how.other_rate * rate
        adam.step()
        adam.zero_grad(set_to_none=True)
        tokens += sum(len(sample.numbers) for sample in batch)
        losses.append(loss.item())
        if (step + 1) % tell_every == 0:
            tell(Progress(step + 1, sum(losses) / len(losses), tokens, time.process_time() - began))
            losses = []
    return {name: weight.detach() for name, weight in weights.items()}


def random_weights(shape: Shape, seed: int) -> dict[str, "Tensor"]:
    """Where a training with this seed begins."""
    return {name: weight.detach() for name, weight in network.initial_weights(shape, seed).items()}


def _rate(step: int, how: Fit) -> float:
    done = step / how.steps
    falling = max(0.0, done - how.constant_share) / (1 - how.constant_share)
    return min(1.0, (step + 1) / how.warm_up) * (1 - 0.95 * falling)


def _batches(epochs: Iterator[Sequence[Sample]], how: Fit) -> Iterator[list[Sample]]:
    """Every sample of an epoch once; of the first epochs only the shorter half."""
    rng = random.Random(how.seed)
    given = 0
    for samples in epochs:
        order = sorted(samples, key=lambda sample: len(sample.numbers))
        if given < how.short_share * how.steps:
            order = order[: len(order) // 2]
        rng.shuffle(order)
        batches: list[list[Sample]] = []
        for start in range(0, len(order), how.batch * _BATCHES_SORTED):
            part = sorted(order[start : start + how.batch * _BATCHES_SORTED], key=lambda s: len(s.numbers))
            batches += [part[n : n + how.batch] for n in range(0, len(part), how.batch)]
        rng.shuffle(batches)
        given += len(batches)
        yield from batches


def _padded(batch: Sequence[Sample]) -> tuple["Tensor", "Tensor"]:
    """Numbers, and for each place the number that comes next, where it is to be learnt."""
    import torch  # noqa: PLC0415

    places = max(len(sample.numbers) for sample in batch) - 1
    numbers = torch.zeros((len(batch), places), dtype=torch.long)
    targets = torch.full((len(batch), places), _NOT_LEARNT)
    for row, sample in enumerate(batch):
        length = len(sample.numbers) - 1
        numbers[row, :length] = torch.tensor(sample.numbers[:-1])
        marked = [n if mark else _NOT_LEARNT for n, mark in zip(sample.numbers[1:], sample.learnt[1:], strict=True)]
        targets[row, :length] = torch.tensor(marked)
    return numbers, targets


class Muon:
    """Steps of one size for matrices, whatever their gradients' size. Those of one shape are worked on together."""

    def __init__(self, matrices: Sequence["Tensor"]) -> None:
        import torch  # noqa: PLC0415

        self._groups: dict[tuple[int, ...], list[Tensor]] = {}
        for matrix in matrices:
            self._groups.setdefault(tuple(matrix.shape), []).append(matrix)
        self._momentum = {size: torch.zeros((len(group), *size)) for size, group in self._groups.items()}

    def step(self, rate: float) -> None:
        """Take the gradients, which are then gone."""
        import torch  # noqa: PLC0415

        with torch.no_grad():
            for size, group in self._groups.items():
                gradient = torch.stack([m.grad for m in group if m.grad is not None])
                momentum = self._momentum[size].lerp_(gradient, 1 - _MOMENTUM)
                change = _orthogonal(gradient.lerp_(momentum, _MOMENTUM))
                scale = rate * max(1.0, size[0] / size[1]) ** 0.5
                for matrix, part in zip(group, change, strict=True):
                    matrix.sub_(part, alpha=scale)
                    matrix.grad = None


def _orthogonal(x: "Tensor") -> "Tensor":
    """Each matrix with all its singular values near 1."""
    a, b, c = _NEWTON_SCHULZ
    is_tall = x.shape[1] > x.shape[2]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_NEWTON_SCHULZ_STEPS):
        square = x @ x.mT
        x = a * x + (b * square + c * square @ square) @ x
    return x.mT if is_tall else x
