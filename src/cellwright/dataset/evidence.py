"""What a gate saw, in words for a person."""

import json
from collections.abc import Mapping, Sequence

from cellwright.core.types import GateResult


def in_words(gate: GateResult) -> str:
    """A gate's evidence: a list of runs as a count, named facts as a sentence, anything else as it is stored."""
    try:
        seen = json.loads(gate.evidence_json)
    except (ValueError, RecursionError):
        return gate.evidence_json
    if isinstance(seen, list) and seen and all(isinstance(run, dict) and "correct" in run for run in seen):
        return _runs(seen)
    if isinstance(seen, dict) and seen and all(_is_plain(value) for value in seen.values()):
        return "; ".join(f"{name}: {_plain(value)}" for name, value in seen.items())
    return gate.evidence_json


def _runs(runs: Sequence[Mapping[str, object]]) -> str:
    right = sum(run["correct"] is True for run in runs)
    found = f"{right} of {len(runs)} runs in fresh kernels gave this answer"
    named = ", ".join(str(run["seed"]) for run in runs if "seed" in run)
    return f"{found} (seeds {named})" if named else found


def _is_plain(value: object) -> bool:
    parts = value if isinstance(value, list) else [value]
    return all(part is None or isinstance(part, (bool, int, float, str)) for part in parts)


def _plain(value: object) -> str:
    match value:
        case list():
            return ", ".join(map(_plain, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case None:
            return "unknown"
        case _:
            return str(value)
