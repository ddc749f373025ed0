"""False accepts and false rejects of three graders on one set of pairs; writes the table of docs/benchmarks.md.

`python -m benchmarks.answers [--seed N] [--list]`. Another seed draws the set anew and writes nothing; `--list` prints
the pairs that our grader gets wrong.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from benchmarks.answers.generate import SEED, generated, kept
from benchmarks.answers.graders import GRADERS
from benchmarks.answers.pairs import Pair
from benchmarks.tables import table, write_section


class Rates(NamedTuple):
    """Counts of one grader over one kind of answers."""

    wrong: int
    accepted: int
    """Wrong ones that it took for right."""
    right: int
    rejected: int
    """Right ones that it took for wrong."""
    unscored: int
    """Right ones of which it could not tell."""

    def __str__(self) -> str:
        unscored = f" (+{_share(self.unscored, self.right)} unscored)" if self.unscored else ""
        return f"{_share(self.accepted, self.wrong)} / {_share(self.rejected, self.right)}{unscored}"


class Outcome(NamedTuple):
    """The verdicts of one grader, in the order of the pairs, and the time that all took."""

    verdicts: Sequence[bool | None]
    seconds: float


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seed", type=int, default=None, help="draw the set anew; writes nothing")
    arguments.add_argument("--list", action="store_true", help="print what our grader gets wrong, and no table")
    given = arguments.parse_args()
    pairs = kept() if given.seed in (None, SEED) else generated(given.seed)
    if given.list:
        sys.stdout.writelines(f"{line}\n" for line in mistakes(pairs))
        return
    outcomes = {name: _graded(name, pairs) for name in GRADERS}
    body = report(pairs, outcomes)
    sys.stdout.write(body + "\n")
    if given.seed is None:
        write_section("Graders", "make bench-answers", body)


def _graded(name: str, pairs: Sequence[Pair]) -> Outcome:
    started = time.perf_counter()
    verdicts = [GRADERS[name](pair) for pair in pairs]
    return Outcome(verdicts, time.perf_counter() - started)


def rates(pairs: Sequence[Pair], verdicts: Sequence[bool | None]) -> Rates:
    """Counts of false verdicts; pairs that are unclear do not count."""
    wrong = [verdict for pair, verdict in zip(pairs, verdicts, strict=True) if pair.label == "wrong"]
    right = [verdict for pair, verdict in zip(pairs, verdicts, strict=True) if pair.label == "right"]
    return Rates(len(wrong), wrong.count(True), len(right), right.count(False), right.count(None))


def mistakes(pairs: Sequence[Pair]) -> list[str]:
    """The pairs of which our grader says the contrary of their label, or cannot tell where they are right."""
    found = []
    for pair in pairs:
        verdict = GRADERS["Cellwright"](pair)
        if pair.label == ("wrong" if verdict else "right"):
            said = {True: "accepted", False: "rejected", None: "unscored"}[verdict]
            found.append(f"{said}: {pair.kind}, {pair.family}: {pair.given!r} for {pair.expected}")
    return found


def report(pairs: Sequence[Pair], outcomes: Mapping[str, Outcome]) -> str:
    """The table by kind, and what else was counted."""
    rows = []
    for kind in (*dict.fromkeys(pair.kind for pair in pairs), "all"):
        chosen = [number for number, pair in enumerate(pairs) if kind in (pair.kind, "all")]
        some = [pairs[number] for number in chosen]
        found = {name: rates(some, [one.verdicts[number] for number in chosen]) for name, one in outcomes.items()}
        first = next(iter(found.values()))
        rows.append([kind, str(first.wrong), str(first.right), *map(str, found.values())])
    unclear = [number for number, pair in enumerate(pairs) if pair.label == "unclear"]
    accepted = {name: sum(one.verdicts[number] is True for number in unclear) for name, one in outcomes.items()}
    times = ", ".join(f"{name} {one.seconds / len(pairs) * 1e6:,.0f} µs" for name, one in outcomes.items())
    lines = (
        "Each cell: false accepts of the wrong answers / false rejects of the right ones. Goals: 0.5% / 1%.",
        table(["kind", "wrong", "right", *outcomes], rows),
        f"Of {len(unclear)} unclear answers were accepted: "
        + ", ".join(f"{name} {count}" for name, count in accepted.items())
        + f". Time per answer: {times}.",
    )
    return "\n\n".join(lines)


def _share(count: int, total: int) -> str:
    return f"{count / total:.1%}" if total else "none"


if __name__ == "__main__":
    main()
