"""The measuring of fine-tuning's speed, on next to nothing."""

import pytest

pytest.importorskip("trl", reason="NOT TESTED HERE: training; run `make test-train`")

from benchmarks.training.cases import Case, Way
from benchmarks.training.measure import Speed, measure


@pytest.mark.parametrize("way", ["cellwright train sft", "TRL's defaults"])
def test_both_ways_are_timed(way: Way) -> None:
    """Tokens and time of a real training; ours with the memory that was estimated before."""
    found = measure(Case("tiny", "tiny-from-scratch", (40, 60) * 12), way)
    assert isinstance(found, Speed)
    assert found.tokens_a_s > 0
    assert (found.estimated_bytes is not None) == (way == "cellwright train sft")
