"""A notebook run again in a fresh kernel: what came out the same, and whether the answer did.

The same means: the same text but for addresses in memory, the same pictures to the byte, the same error. An answer came
out the same when a cell that showed it shows it again.
"""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cellwright.answers.evidence import bears_out
from cellwright.core.errors import KernelDied
from cellwright.core.types import CellResult, Output
from cellwright.kernels import Kernel
from cellwright.notebooks.recorded import RecordedCell
from cellwright.proof.minimising import minimise
from cellwright.proof.slicing import static_slice
from cellwright.proof.units import parse_cell

# Addresses, the ids of pandas' styled tables, and what timing magics and tqdm print.
_NOISE = re.compile(
    r"0x[0-9a-fA-F]{6,}|\bT_[0-9a-f]{5}\w*|(?:CPU times|Wall time|wall time):[^\n]*|\d+(?:\.\d+)?\s*(?:it/s|s/it)"
    r"|\d\d:\d\d<\d\d:\d\d"
)
_PICTURES = re.compile(r"image/(?!svg)")

CellVerdict = Literal["same", "differs", "not run"]
AnswerVerdict = Literal["same", "differs", "not shown", "no answer"]
"""`not shown`: no cell's output bears the answer out, so that running them again says nothing of it."""


@dataclass(frozen=True)
class ReplayedCell:
    """One code cell, then and now."""

    verdict: CellVerdict
    detail: str
    """What differs, in a few words."""
    result: CellResult | None


@dataclass(frozen=True)
class ReplayedAnswer:
    """One answer of the notebook."""

    answer: str
    verdict: AnswerVerdict
    shown_by: int | None
    """Index among the code cells of the last one that shows it again, or that showed it."""


@dataclass(frozen=True)
class Replay:
    """What became of a notebook that was run again."""

    cells: tuple[ReplayedCell, ...]
    answers: tuple[ReplayedAnswer, ...]

    @property
    def is_same(self) -> bool:
        """Whether every cell came out the same, and every answer."""
        return all(cell.verdict == "same" for cell in self.cells) and self.answers_hold

    @property
    def answers_hold(self) -> bool:
        """Whether every answer that there is came out the same."""
        return all(answer.verdict == "same" for answer in self.answers)


async def replay(
    cells: Sequence[RecordedCell],
    answers: Sequence[tuple[str | None, int]],
    kernel: Kernel,
    *,
    cell_s: float,
    tell: Callable[[int, ReplayedCell], None] | None = None,
) -> Replay:
    """Run `cells` in order. `answers`: each with the number of code cells in front of it, None for no answer."""
    replayed: list[ReplayedCell] = []
    for number, cell in enumerate(cells):
        replayed.append(await _again(cell, kernel, cell_s))
        if tell is not None:
            tell(number, replayed[-1])
    found = [_answer(answer, cells[:end], replayed[:end]) for answer, end in answers]
    return Replay(tuple(replayed), tuple(found))


async def _again(cell: RecordedCell, kernel: Kernel, cell_s: float) -> ReplayedCell:
    try:
        result = await kernel.execute(cell.source, timeout_s=cell_s)
    except KernelDied as error:
        return ReplayedCell("not run", str(error), None)
    if result.status in ("timeout", "dead"):
        what = f"over {cell_s:g} s" if result.status == "timeout" else f"the kernel died: {result.ended_by}"
        return ReplayedCell("differs", what, result)
    detail = difference(cell.outputs, result.outputs)
    return ReplayedCell("differs" if detail else "same", detail, result)


def _answer(answer: str | None, cells: Sequence[RecordedCell], replayed: Sequence[ReplayedCell]) -> ReplayedAnswer:
    if answer is None:
        return ReplayedAnswer("", "no answer", None)
    now = [n for n, cell in enumerate(replayed) if cell.result is not None and shows(cell.result.outputs, answer)]
    then = [n for n, cell in enumerate(cells) if shows(cell.outputs, answer)]
    both = [n for n in now if n in then]
    if both:
        return ReplayedAnswer(answer, "same", both[-1])
    return ReplayedAnswer(answer, "differs" if then else "not shown", then[-1] if then else None)


def shows(outputs: Sequence[Output], answer: str) -> bool:
    """Whether what a cell put out bears the answer out."""
    texts = [output.text if output.kind == "stream" else output.data.get("text/plain", "") for output in outputs]
    return bears_out("\n".join(texts), answer)


def difference(then: Sequence[Output], now: Sequence[Output]) -> str:
    """The first thing in which two lists of outputs differ, in a few words; empty when they are the same."""
    before, after = _comparable(then), _comparable(now)
    for kind in sorted({*before, *after}):
        if before.get(kind) != after.get(kind):
            if kind not in after or kind not in before:
                return f"{kind} is {'new' if kind not in before else 'gone'}"
            return f"{kind} differs"
    return ""


def _comparable(outputs: Sequence[Output]) -> dict[str, list[str]]:
    """What counts of outputs, by kind. Streams are joined: how they were cut into pieces is chance."""
    found: dict[str, list[str]] = {}
    for output in outputs:
        if output.kind == "stream":
            if "Warning" not in output.text or output.name == "stdout":
                found[output.name] = ["".join([*found.get(output.name, []), output.text])]
        elif output.kind == "error":
            found.setdefault("the error", []).append(f"{output.name}: {_quiet(output.text)}")
        else:
            for media, text in output.data.items():
                name = "a figure" if _PICTURES.match(media) else "the result" if media == "text/plain" else media
                found.setdefault(name, []).append("".join(text.split()) if _PICTURES.match(media) else _quiet(text))
    for name in ("stdout", "stderr"):
        if name in found:
            found[name] = [_quiet(found[name][0])]
    return found


def _quiet(text: str) -> str:
    return _NOISE.sub("·", text).rstrip()


Gives = Callable[[Sequence[int]], Awaitable[bool]]


async def needed_cells(cells: Sequence[RecordedCell], last: int, gives_it: Gives) -> list[int]:
    """The cells without which cell `last` does not come out as it did, itself included, in order.

    `gives_it` runs cells, by number, in a fresh kernel and says whether all of them come out as they did. First a guess
    from names is tried; then what is left is shrunk until no cell can go.
    """
    kept = _guess(cells, last)
    if not await gives_it(kept):
        kept = list(range(last + 1))

    async def passes(numbers: Sequence[int]) -> bool:
        return await gives_it([*numbers, last])

    return [*(await minimise(kept[:-1], passes)).kept, last]


def _guess(cells: Sequence[RecordedCell], last: int) -> list[int]:
    """The cells that names lead to from the last one; a cell that is no Python may do anything, and is in."""
    parsed = [parse_cell(number, cell.source) for number, cell in enumerate(cells[: last + 1])]
    units = [unit for cell in parsed[:-1] if cell is not None for unit in cell.units]
    own = parsed[-1]
    uses: frozenset[str] = frozenset().union(*(unit.uses for unit in own.units)) if own is not None else frozenset()
    found = {unit.cell for unit in static_slice(units, uses, cautious=True)}
    found |= {number for number, cell in enumerate(parsed) if cell is None}
    return sorted({*found, last})
