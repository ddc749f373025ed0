"""The bound of an audit, and the draw that it rests on."""

from dataclasses import replace

import pytest

from cellwright.proof.certificate import AuditVerdict, Sitting, certify, draw, fingerprint_of, latest, upper_bound

from .screening.making import INTEGER, task

# scipy.stats.beta.ppf(0.95, invalid + 1, judged - invalid), to six decimals.
BOUNDS = {
    (0, 59): 0.049508,
    (0, 149): 0.019905,
    (0, 299): 0.009969,
    (1, 100): 0.046560,
    (5, 300): 0.034722,
    (2, 10): 0.506901,
    (3, 3): 1.0,
    (0, 0): 1.0,
}
TASKS = [task(f"how many in {n}?", n, INTEGER) for n in range(200)]
ADA = Sitting("Ada", "person", 0)


@pytest.mark.parametrize("counts", BOUNDS)
def test_bound_is_exact(counts: tuple[int, int]) -> None:
    """Clopper and Pearson's one-sided bound, also where nothing or everything is invalid."""
    assert upper_bound(*counts) == pytest.approx(BOUNDS[counts], abs=1e-6)


def test_bound_of_a_large_audit() -> None:
    """Tens of thousands of verdicts are no trouble to floats."""
    assert 0.1 < upper_bound(2_000, 20_000) < 0.104


def test_longer_draw_begins_with_the_shorter() -> None:
    """The order depends on the seed and the ids only, so that an audit can be made larger."""
    assert draw(TASKS, 100, 1)[:40] == draw(TASKS[::-1], 40, 1)
    assert draw(TASKS, 40, 1) != draw(TASKS, 40, 2)
    assert len(draw(TASKS, 999, 1)) == len(TASKS)


def test_only_verdicts_on_the_task_as_it_is_count() -> None:
    """The last word of this judge counts; one on a changed task, of another judge or draw does not."""
    drawn = draw(TASKS, 4, 0)
    said = [AuditVerdict(ADA, one.id, fingerprint_of(one), "invalid", "x", "") for one in drawn]
    said.append(replace(said[0], verdict="valid"))
    said.append(replace(said[1], sitting=replace(ADA, kind="program"), verdict="valid"))
    said.append(replace(said[2], sitting=replace(ADA, seed=5), verdict="valid"))
    changed = [*drawn[:3], replace(drawn[3], answer_json="77")]
    found = latest(said, changed, ADA)
    assert [verdict.verdict for verdict in found.values()] == ["valid", "invalid", "invalid"]
    certificate = certify(ADA, found.values(), 4, len(TASKS))
    assert (certificate.judged, certificate.valid, certificate.invalid) == (3, 1, 2)


def test_unsure_counts_as_invalid_in_the_bound() -> None:
    """Doubt is not taken for validity; the other figure is given beside it."""
    drawn = draw(TASKS, 59, 0)
    said = [AuditVerdict(ADA, one.id, "", "unsure" if n == 0 else "valid", "", "") for n, one in enumerate(drawn)]
    certificate = certify(ADA, said, 59, 200)
    assert certificate.bound == upper_bound(1, 59)
    assert certificate.bound_if_unsure_valid == upper_bound(0, 59)
