"""The set of pairs: `python -m benchmarks.answers.generate` writes it anew, with `--seed` another one beside it.

Which families there are is written by hand; the values in them are drawn. The set is kept, so that a figure can be
read against the pairs it came from.
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

from benchmarks.answers import labels, numbers, several
from benchmarks.answers.pairs import PAIRS, Family, Pair, from_line, pairs_of, to_line

SEED = 1


def families() -> Iterator[Family]:
    """All families."""
    yield from numbers.families()
    yield from labels.families()
    yield from several.families()


def generated(seed: int = SEED) -> list[Pair]:
    """The pairs of all families."""
    return list(pairs_of(families(), seed))


def kept() -> list[Pair]:
    """The pairs that are kept as data."""
    return [from_line(line) for line in PAIRS.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=SEED)
    arguments.add_argument("--out", type=Path, default=PAIRS)
    given = arguments.parse_args()
    given.out.write_text("".join(f"{to_line(pair)}\n" for pair in generated(given.seed)), encoding="utf-8")


if __name__ == "__main__":
    main()
