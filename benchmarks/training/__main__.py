"""Tokens a second, use of the device and memory of fine-tuning: `cellwright train sft` beside plain TRL.

`python -m benchmarks.training`. Needs the extra [train]. On a GPU Qwen3-4B's architecture with random weights; without
one it says so, and measures the recipe for machines without. No download.
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from benchmarks.tables import table, write_section
from benchmarks.training.cases import Case, Way, cases
from benchmarks.training.flops import peak_flops
from benchmarks.training.measure import Speed, TooLarge, measure

_TITLE = "Training"
_NO_GPU = "No GPU here: the recipe `tiny-from-scratch` is measured, in place of Qwen3-4B's architecture."


def main() -> int:
    """Exit code 2 where the extra is missing."""
    try:
        import torch  # noqa: PLC0415
        import trl  # noqa: F401, PLC0415
    except ImportError:
        _say("needs the extra [train]: make bench-train")
        return 2
    has_gpu = torch.cuda.is_available()
    if not has_gpu:
        _say(_NO_GPU)
    found = [(case, [_in_its_own_process(case, way) for way in case.ways]) for case in cases(has_gpu=has_gpu)]
    body = report(found, has_gpu=has_gpu)
    _say(body)
    write_section(_TITLE, "make bench-train", body)
    return 0


def report(found: Sequence[tuple[Case, Sequence[Speed | TooLarge]]], *, has_gpu: bool) -> str:
    """The section's text."""
    header = ("documents and way", "tokens/s", "of TRL's defaults", "TFLOP/s", "MFU", "peak memory", "estimated")
    rows = [_row(case, one, speeds[1]) for case, speeds in found for one in speeds]
    device = found[0][1][0].device
    known = peak_flops(device)
    peak = (
        f"MFU is of {known / 1e12:.0f} TFLOP/s, the device's peak in 16 bits."
        if known is not None
        else "No peak of this device is known, so there is no MFU."
    )
    changes = {case.recipe: ", ".join(case.changes) for case, _ in found}
    recipes = ", ".join(f"`{name}`" + (f" with {said}" if said else "") for name, said in changes.items())
    lengths = "" if has_gpu else f" Documents of {', '.join(map(str, sorted(set(found[0][0].documents))))} tokens."
    where = "" if has_gpu else f"{_NO_GPU} "
    return (
        f"{where}{device}, {_threads()}. Random weights and documents of noise, 40% of "
        f"whose tokens are trained.{lengths} "
        f"Ours is {recipes}; TRL's defaults have the same rows, and whole documents. The "
        "first step does not count, nor does padding. FLOP: six times the parameters a token, and attention within a "
        f"document, the half that is seen; what is computed twice counts once. {peak} Memory beyond what there was "
        f"before the model.\n\n{table(header, rows)}"
    )


def _row(case: Case, one: Speed | TooLarge, plain: Speed | TooLarge) -> list[str]:
    name = f"{case.name}: {one.way}"
    if isinstance(one, TooLarge):
        return [name, "out of memory", "", "", "", "", ""]
    ratio = f"{one.tokens_a_s / plain.tokens_a_s:.2f}" if isinstance(plain, Speed) else "it ran out of memory"
    peak = peak_flops(one.device)
    return [
        name,
        f"{one.tokens_a_s:,.0f}",
        ratio,
        f"{one.flops / 1e12:.3g}",
        "unknown" if peak is None else f"{one.flops / peak:.1%}",
        f"{one.peak_bytes / 2**30:.2f} GiB",
        "" if one.estimated_bytes is None else f"{one.estimated_bytes / 2**30:.2f} GiB",
    ]


def _in_its_own_process(case: Case, way: Way) -> Speed | TooLarge:
    with ProcessPoolExecutor(1, get_context("spawn")) as worker:
        return worker.submit(measure, case, way).result()


def _threads() -> str:
    return f"OMP_NUM_THREADS={os.environ['OMP_NUM_THREADS']}" if "OMP_NUM_THREADS" in os.environ else "all cores"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
