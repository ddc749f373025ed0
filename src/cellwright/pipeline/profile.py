"""Before stage 7: what the tables of each group hold, as a kernel tells it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cellwright.core.types import Provenance, Reject
from cellwright.kernels import KernelSettings, Limits, Pool
from cellwright.pipeline.execute import table_paths
from cellwright.pipeline.tables import TableGroup
from cellwright.proof.compose import Sources, TableProfile, Unprofiled, sources, take_profiles
from cellwright.proof.judge import CHECKPOINTS, Judge, preload_list

NAME = "profile"
_SEED = 7
_IMPORTS = ("import pandas as pd",)


@dataclass(frozen=True)
class ProfiledGroup:
    """A group of tables with the profiles of those that something can be composed over."""

    id: str
    provenance: Provenance
    alone: tuple[str, ...]
    known: tuple[tuple[str, ...], ...]
    profiles_json: str

    @property
    def sources(self) -> Sources:
        """What can be composed over."""
        return sources(self.profiles, self.alone, self.known)

    @property
    def profiles(self) -> list[TableProfile]:
        """What the tables hold, in their order."""
        return msgspec.json.decode(self.profiles_json, type=list[TableProfile])


class ProfileStage:
    """Looks at the tables of one group, in a kernel that runs nothing else."""

    def __init__(self, pool: Pool, store: Path, limits: Limits, timeout_s: float) -> None:
        self._pool, self._store, self._limits, self._timeout_s = pool, store, limits, timeout_s

    async def run(self, group: Sequence[TableGroup]) -> Sequence[ProfiledGroup | Reject]:
        (tables,) = group
        settings = KernelSettings(table_paths(tables.tables, self._store), 0, self._limits)
        async with self._pool.kernel(settings) as kernel:
            judge = Judge(
                kernel,
                timeout_s=self._timeout_s,
                seed=_SEED,
                preload=preload_list(_IMPORTS),
                checkpoints=CHECKPOINTS,
            )
            found = await take_profiles(tables.tables, {way.name: way.expressions for way in tables.loads}, judge)
        profiles = [entry for entry in found if isinstance(entry, TableProfile)]
        rejects = [_unprofiled(tables, entry) for entry in found if isinstance(entry, Unprofiled)]
        if not profiles:
            return rejects
        told = msgspec.json.encode(profiles).decode()
        return [ProfiledGroup(tables.id, tables.provenance, tables.alone, tables.known, told), *rejects]


def _unprofiled(group: TableGroup, entry: Unprofiled) -> Reject:
    return Reject.of(NAME, f"{group.id}-{entry.table.name}", entry.reason, entry.detail[:1000], group.provenance)
