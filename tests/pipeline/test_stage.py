"""How stages are run: what is done stays done, and errors cost what they are about."""

import asyncio
import errno
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pytest

from cellwright.core.errors import BadNotebook, KernelStartError, ModelMisused, ModelUnavailable, UsageError
from cellwright.core.records import write_shard
from cellwright.core.types import Reject
from cellwright.pipeline import stage as stages
from cellwright.pipeline.stage import Folder, GroupKey, StageRun


@dataclass(frozen=True)
class Row:
    """A record."""

    key: str
    number: int


class Quiet:
    """Nobody who is told."""

    def begin(self, stage: str, total: int | None) -> None: ...

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        return nullcontext()

    def advance(self, stage: str, count: int) -> None: ...

    def end(self, stage: str, kept: int, rejected: int) -> None: ...


class Failing:
    """Gives back what it gets, but for groups of which it has errors left."""

    def __init__(self, **errors: list[BaseException]) -> None:
        self._errors = errors
        self.seen: list[list[int]] = []

    async def run(self, group: Sequence[Row]) -> Sequence[Row | Reject]:
        self.seen.append([row.number for row in group])
        if self._errors.get(group[0].key):
            raise self._errors[group[0].key].pop(0)
        return group


def _run(folder: Path, stage: Failing, keys: str = "aba") -> tuple[list[Row], list[Reject]]:
    source, target = Folder(folder / "in", Row), Folder(folder / "out", Row)
    for made in (source, target):
        made.path.mkdir(exist_ok=True)
    write_shard(source.path / "00000.parquet", Row, [Row(key, number) for number, key in enumerate(keys)])
    asyncio.run(StageRun("test", source, target, lambda row: GroupKey(row.key, row.key), 1, Quiet()).execute(stage))
    return list(target.records()), list(target.rejects())


def test_a_key_that_comes_again_is_another_group(tmp_path: Path) -> None:
    """A stopped stage goes on with each group that it has not done, though one before has the same key."""
    with pytest.raises(ModelUnavailable):
        _run(tmp_path, Failing(b=[ModelUnavailable("gone")]))
    stage = Failing()
    kept, rejects = _run(tmp_path, stage)
    assert ([row.number for row in kept], rejects) == ([0, 1, 2], [])
    assert [0] not in stage.seen


def test_an_error_of_one_record_is_filed_and_the_others_go_on(tmp_path: Path) -> None:
    """So is a fault of ours."""
    kept, rejects = _run(tmp_path, Failing(b=[BadNotebook("broken")], c=[ZeroDivisionError()]), "abcd")
    assert [row.key for row in kept] == ["a", "d"]
    assert [reject.reason for reject in rejects] == ["BadNotebook", "internal error: ZeroDivisionError"]


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelMisused("no such key"), "no such key"),
        (ModelUnavailable("nobody there"), "nobody there"),
        (OSError(errno.ENOSPC, "No space left on device", "shard"), "stopped in test: shard: No space left on device"),
    ],
)
def test_an_error_that_any_record_would_meet_ends_the_build(tmp_path: Path, error: Exception, told: str) -> None:
    """It says nothing of the record, which is done when the same command is given again."""
    with pytest.raises((UsageError, ModelUnavailable), match=told):
        _run(tmp_path, Failing(b=[error]))
    kept, rejects = _run(tmp_path, Failing())
    assert (len(kept), rejects) == (3, [])


def test_a_kernel_that_does_not_come_up_is_asked_for_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine costs no record; what fails each time is filed."""
    monkeypatch.setattr(stages, "_PAUSES_S", (0.0, 0.0))
    errors: dict[str, list[BaseException]] = {"b": [KernelStartError("busy")] * 2, "c": [KernelStartError("never")] * 3}
    kept, rejects = _run(tmp_path, Failing(**errors), "abc")
    assert [row.key for row in kept] == ["a", "b"]
    assert [(reject.reason, reject.detail) for reject in rejects] == [("KernelStartError", "never")]
