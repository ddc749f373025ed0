"""The whole job: notebooks in, a dataset out."""

import contextlib
import fcntl
import hashlib
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
import yaml

import cellwright
from cellwright.core.errors import UsageError
from cellwright.core.hashing import sha256_bytes
from cellwright.core.records import read_shard, to_row
from cellwright.core.types import MODERN, Notebook, Task
from cellwright.corpus.links import LinkedNotebook
from cellwright.corpus.sources import BUILT_HERE
from cellwright.dataset.accounts import NotebookAccount
from cellwright.dataset.card import render_card
from cellwright.dataset.files import ACCOUNTS, load_tasks
from cellwright.dataset.report import GateCount, GuesserCount, Report, StageCount, write_report
from cellwright.kernels import Pool
from cellwright.kernels.eras import Era, find_eras
from cellwright.pipeline import (
    ask,
    compose,
    curate,
    dedup,
    execute,
    link,
    look,
    plan,
    port,
    profile,
    prove,
    read,
    screen,
    slice,  # noqa: A004 - a stage
    tables,
    trace,
    twins,
)
from cellwright.pipeline.config import BuildConfig
from cellwright.pipeline.environments import modern_libraries, open_pool
from cellwright.pipeline.execute import ExecutedNotebook
from cellwright.pipeline.export import export
from cellwright.pipeline.plan import PlannedGroup
from cellwright.pipeline.profile import ProfiledGroup
from cellwright.pipeline.slice import SlicedOutput
from cellwright.pipeline.stage import Folder, GroupKey, Progress, RecordStage, StageRun, write_stream
from cellwright.pipeline.tables import TableGroup
from cellwright.pipeline.trace import TracedTask
from cellwright.proof import porting
from cellwright.proof.heads import TableHead
from cellwright.proof.screening import closedbook, contamination, leakage
from cellwright.proof.screening.closedbook import measure

_SAMPLES = 10
SCREENING = (leakage.GATE, contamination.GATE, closedbook.GATE)
_ACCOUNTS = 500
_UNITS = {
    "read": "notebooks",
    "dedup": "notebooks",
    "link": "notebooks",
    "execute": "notebooks",
    "slice": "outputs",
    "look": "tables",
    "look-twins": "tables",
    "tables": "groups of tables",
    "profile": "groups of tables",
    "plan": "groups of tables",
}


@dataclass(frozen=True)
class BuildResult:
    """What a build made."""

    out: Path
    stages: tuple[StageCount, ...]
    tasks: tuple[Task, ...]
    notebooks: int
    """Notebooks with at least one task."""
    seconds: float
    """Of this run; a resumed build did part of the work before."""
    guessers: tuple[GuesserCount, ...]
    """How often programs are right that do not see the data, before and after the screening; the best first."""


@dataclass
class _Build:
    """A build under way: its folders, in order, each marked with what it was made from."""

    out: Path
    config: BuildConfig
    eras: tuple[Era, ...]
    progress: Progress
    fingerprint: str
    folders: list[tuple[str, Folder[Any]]]

    @property
    def work(self) -> Path:
        return self.out / "work"

    def folder(self, name: str, kind: type, settings: object = None) -> Folder[Any]:
        """The folder of the next stage. It is emptied when the stages before it, or its settings, have changed."""
        told = json.dumps(
            [self.fingerprint, name, msgspec.to_builtins(settings), cellwright.__version__], sort_keys=True
        )
        self.fingerprint = hashlib.sha256(told.encode()).hexdigest()
        folder: Folder[Any] = Folder(self.work / f"{len(self.folders) + 1:02d}-{name}", kind)
        folder.prepare(self.fingerprint)
        self.folders.append((name, folder))
        return folder

    def stream(
        self, name: str, kind: type, records: Callable[[], Iterable[Any]], settings: object = None
    ) -> Folder[Any]:
        """A stage that sees all records in one order."""
        folder = self.folder(name, kind, settings)
        if not folder.complete:
            self.progress.begin(name, None)
            folder.finish(*write_stream(self._counted(name, records()), folder))
        counts = folder.counts()
        self.progress.end(name, counts["kept"], counts["rejected"])
        return folder

    def _counted(self, name: str, records: Iterable[Any]) -> Iterator[Any]:
        for record in records:
            self.progress.advance(name, 1)
            yield record

    async def each(
        self,
        name: str,
        source: Folder[Any],
        kind: type,
        stage: RecordStage[Any, Any],
        key: Callable[[Any], GroupKey],
        settings: object = None,
    ) -> Folder[Any]:
        """A stage that treats groups of records on their own."""
        folder = self.folder(name, kind, settings)
        if folder.complete:
            counts = folder.counts()
            self.progress.end(name, counts["kept"], counts["rejected"])
            return folder
        run = StageRun(name, source, folder, key, self.config.workers, self.progress)
        await run.execute(stage)
        return folder


async def build(sources: Sequence[Path], out: Path, config: BuildConfig, progress: Progress) -> BuildResult:
    """Run all stages, skipping what an earlier run of the same build has done. Raises UsageError for bad input."""
    started = time.monotonic()
    eras = find_eras(config.environments)
    fingerprint = read.fingerprint(sources)
    with _claimed(out):
        async with open_pool(config.workers, eras, trusted=config.trusted) as pool:
            job = _Build(out, config, eras, progress, fingerprint, [])
            curated = await _stages(sources, job, pool)
        export(job.folders, job.work / "tables", out)
        seconds = time.monotonic() - started
        return _finish(job, curated, seconds)


@contextlib.contextmanager
def _claimed(out: Path) -> Iterator[None]:
    """Hold a folder for one build: two would empty and write each other's stages. Linux lets go when a process ends."""
    try:
        (out / "work").mkdir(parents=True, exist_ok=True)
        mark = (out / BUILT_HERE).open("a")
    except OSError as error:
        raise UsageError(
            f"cannot write to {out}: {error.strerror or error}. Choose another folder with --out."
        ) from None
    with mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise UsageError(
                f"another program builds into {out} now. Wait until it has ended, or choose another folder with --out."
            ) from None
        yield


async def _stages(sources: Sequence[Path], job: _Build, pool: Pool) -> Folder[TracedTask]:
    config, store = job.config, job.work / "tables"
    limits = config.limits
    notebooks = job.stream(read.NAME, Notebook, lambda: read.read(sources))
    unique = job.stream(dedup.NAME, Notebook, lambda: dedup.dedup(notebooks, sources))
    timeout_s = config.prove.program_timeout_s
    with contextlib.closing(link.LinkStage(sources, store)) as linking:
        linked = await job.each(link.NAME, unique, LinkedNotebook, linking, _notebook)
    names = [era.name for era in job.eras]
    environments = [modern_libraries(), *((era.name, era.state) for era in job.eras)]
    settings = [limits, config.execute, config.repair, config.trusted, environments]
    stage = execute.ExecuteStage(pool, store, limits, config.execute, config.repair, names)
    async with contextlib.aclosing(stage) as executing:
        executed = await job.each(execute.NAME, linked, ExecutedNotebook, executing, _linked, settings)
    slicing = slice.SliceStage(pool, store, limits, config.slices)
    sliced = await job.each(slice.NAME, executed, SlicedOutput, slicing, _executed, config.slices)
    asking = ask.AskStage(pool, store, limits, config.ask, timeout_s)
    asked = await job.each(ask.NAME, sliced, Task, asking, _of_notebook, [config.ask, timeout_s])
    if job.eras:
        asked = await job.each(port.NAME, asked, Task, port.PortStage(pool, store, config), _of_notebook, config.port)
    grouped = job.stream(
        tables.NAME,
        TableGroup,
        lambda: tables.table_groups(linked.records, wanted=config.compose.tasks_per_table > 0),
        config.compose.tasks_per_table > 0,
    )
    profiling = profile.ProfileStage(pool, store, limits, timeout_s)
    profiled = await job.each(profile.NAME, grouped, ProfiledGroup, profiling, _group, timeout_s)
    planned = job.stream(plan.NAME, PlannedGroup, lambda: plan.plan(profiled.records, config.compose), config.compose)
    composing = compose.ComposeStage(pool, store, limits, config.compose, timeout_s)
    composed = await job.each(compose.NAME, planned, Task, composing, _planned, config.compose)
    heads = await job.each(look.NAME, linked, TableHead, look.LookStage(pool, store, limits), _linked)
    known = screen.fingerprints(config.screen)
    looked_at = screen.Screened(
        lambda: chain(asked.records(), composed.records()), linked.records, heads.records, store
    )
    screened = job.stream(
        screen.NAME, Task, lambda: screen.screen(looked_at, config.screen, known), [config.screen, known]
    )
    proving = prove.ProveStage(pool, store, limits, config.prove)
    proved = await job.each(prove.NAME, screened, Task, proving, _of_notebook, config.prove)
    if config.twins.per_task:
        proved = await _with_twins(proved, linked, job, pool, known)
    traced = await job.each(trace.NAME, proved, TracedTask, trace.TraceStage(pool, store, limits), _task)
    curating = [config.curate, config.screen.guessers_share]
    return job.stream(
        curate.NAME, TracedTask, lambda: curate.curate(traced, config.curate, config.screen.guessers_share), curating
    )


async def _with_twins(
    proved: Folder[Task],
    linked: Folder[LinkedNotebook],
    job: _Build,
    pool: Pool,
    known: Sequence[contamination.Fingerprint],
) -> Folder[Task]:
    """The tasks and, after them, those of their twins that pass every gate."""
    config, store = job.config, job.work / "tables"
    twinner = twins.Twinner(pool, store, config.limits, config.prove, config.twins)
    twinning = twins.TwinStage(twinner, config.twins.per_task)
    both = await job.each(twins.NAME, proved, Task, twinning, _of_notebook, config.twins)
    looking = look.LookAtTwins(pool, store, config.limits)
    heads = await job.each(look.OF_TWINS, both, TableHead, looking, _of_notebook)
    among = screen.Screened(both.records, linked.records, heads.records, store, screen.OF_TWINS)
    return job.stream(screen.OF_TWINS, Task, lambda: screen.screen_twins(among, config.screen, known))


def _notebook(notebook: Notebook) -> GroupKey:
    return GroupKey(notebook.id, notebook.provenance.path)


def _linked(linked: LinkedNotebook) -> GroupKey:
    return _notebook(linked.notebook)


def _executed(executed: ExecutedNotebook) -> GroupKey:
    return _linked(executed.linked)


def _group(group: TableGroup | ProfiledGroup) -> GroupKey:
    return GroupKey(group.id, group.provenance.path)


def _planned(planned: PlannedGroup) -> GroupKey:
    return _group(planned.group)


def _of_notebook(record: SlicedOutput | Task) -> GroupKey:
    return GroupKey(record.notebook_id, record.provenance.path)


def _task(task: Task) -> GroupKey:
    return GroupKey(task.id, task.provenance.path)


def _finish(job: _Build, curated: Folder[TracedTask], seconds: float) -> BuildResult:
    stages = tuple(_stage_count(name, folder) for name, folder in job.folders)
    tasks = tuple(load_tasks(job.out))
    # Not by id: tasks over tables of several notebooks have a group's.
    notebooks = len({(task.provenance.source, task.provenance.path) for task in tasks})
    settings = to_row(job.config)
    inputs = _inputs(job.folders[0][1])
    config_yaml = yaml.safe_dump({**settings, "inputs": inputs}, sort_keys=False)
    versions = _versions(tasks, job.eras)
    told = yaml.safe_dump({"settings": settings, "inputs": inputs, "versions": versions}, sort_keys=False)
    (job.out / "config.yaml").write_text(told, encoding="utf-8")
    guessers = _guessers(job.folders, tasks)
    report = Report(
        title=job.out.name,
        stages=stages,
        tasks=len(tasks),
        notebooks=notebooks,
        kinds=_ranked(task.contract.kind for task in tasks),
        levels=tuple(sorted(Counter(f"L{task.level}" for task in tasks).items())),
        families=_ranked(task.family for task in tasks),
        splits=_ranked(task.split or "none" for task in tasks),
        licences=_ranked(table.licence or "unknown" for task in tasks for table in task.tables),
        samples=tuple(_samples(curated)),
        seconds=seconds,
        config_yaml=config_yaml,
        versions=versions,
        accounts=tuple(islice(read_shard(job.out / ACCOUNTS, NotebookAccount), _ACCOUNTS)),
        origins=_ranked(task.origin for task in tasks),
        eras=_ranked(task.era for task in tasks),
        gates=tuple(_gates(tasks, job.folders)),
        guessers=guessers,
        guessers_share=job.config.screen.guessers_share,
    )
    write_report(report, job.out / "report.html")
    (job.out / "README.md").write_text(render_card(report, job.out.name), encoding="utf-8")
    return BuildResult(job.out, stages, tasks, notebooks, seconds, guessers)


def _inputs(notebooks: Folder[Notebook]) -> dict[str, dict[str, object]]:
    """Of each source, how many notebooks it had, and a hash of theirs."""
    hashes: dict[str, list[str]] = {}
    for notebook in notebooks.records():
        hashes.setdefault(notebook.provenance.source, []).append(notebook.provenance.sha256)
    return {
        source: {"notebooks": len(found), "sha256": hashlib.sha256("".join(sorted(found)).encode()).hexdigest()}
        for source, found in hashes.items()
    }


def _guessers(folders: Sequence[tuple[str, Folder[Any]]], tasks: Sequence[Task]) -> tuple[GuesserCount, ...]:
    """Of the tasks that went into the screening, and of those that are in the dataset."""
    of_stage = dict(folders)
    made = [of_stage.get(port.NAME, of_stage[ask.NAME]), of_stage[compose.NAME]]
    before = {rate.guesser: rate.share for rate in measure(task for folder in made for task in folder.records())}
    after = {rate.guesser: rate.share for rate in measure(tasks)}
    ranked = sorted(before, key=lambda name: (-before[name], -after[name], name))
    return tuple(GuesserCount(name, before[name], after[name]) for name in ranked)


def _gates(tasks: Sequence[Task], folders: Sequence[tuple[str, Folder[Any]]]) -> Iterator[GateCount]:
    """Each gate with the tasks of the dataset that it let through, and those that it stopped.

    The reason of a reject begins with the name of the gate that gave it.
    """
    passed = Counter(gate.gate for task in tasks for gate in task.proof.gates)
    reasons = (
        reject.reason for _, folder in folders if folder.kind in (Task, TracedTask) for reject in folder.rejects()
    )
    stopped = Counter(reason.partition(":")[0] for reason in reasons)
    known = dict.fromkeys([porting.GATE, *SCREENING, *passed])
    for gate in known:
        if passed[gate] or stopped[gate]:
            yield GateCount(gate, passed[gate], stopped[gate])


def _ranked(values: Iterable[str]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(values).most_common())


def _stage_count(name: str, folder: Folder[Any]) -> StageCount:
    counts = folder.counts()
    reasons = _ranked(reject.reason for reject in folder.rejects())
    return StageCount(name, counts["kept"], counts["rejected"], reasons, _UNITS.get(name, "tasks"))


def _samples(curated: Folder[TracedTask]) -> list[tuple[Task, Any]]:
    """Ten tasks, of as many notebooks as there are, chosen by a hash of their id."""
    chosen: dict[str, list[TracedTask]] = {}
    for row in curated.records():
        rows = chosen.setdefault(row.task.notebook_id, [])
        rows.append(row)
        rows.sort(key=_rank)
        del rows[_SAMPLES:]
        if len(chosen) > 2 * _SAMPLES:
            del chosen[max(chosen, key=lambda notebook: _rank(chosen[notebook][0]))]
    by_turns = [(turn, row) for rows in chosen.values() for turn, row in enumerate(rows)]
    by_turns.sort(key=lambda pair: (pair[0], _rank(pair[1])))
    return [(row.task, row.trace) for _, row in by_turns[:_SAMPLES]]


def _rank(row: TracedTask) -> str:
    return sha256_bytes(row.task.id.encode())


def _versions(tasks: Sequence[Task], eras: Sequence[Era]) -> dict[str, str]:
    versions = {"cellwright": cellwright.__version__, "python": sys.version.split()[0]}
    for library in ("ipykernel", "jupyter_client", "pyarrow"):
        versions[library] = metadata.version(library)
    modern = next((task.environment for task in tasks if task.era == MODERN), None)
    if modern is not None:
        versions["kernel environment"] = modern
    return versions | {f"kernel environment {era.name}": era.versions for era in eras}
