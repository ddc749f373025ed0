"""Commands that make datasets, and look at them."""

import enum
import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from cellwright.apps.commands.options import Config, Environments, Json, Settings, Trusted, Workers
from cellwright.apps.commands.running import GOES_ON, has_sandbox, run, say_isolation
from cellwright.apps.texts import visible
from cellwright.core.errors import UsageError


def build(
    source: Annotated[list[Path], typer.Argument(help="Folders, zip files or notebooks.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; the same one again resumes.")],
    config: Config = None,
    changes: Settings = None,
    environments: Environments = None,
    workers: Workers = None,
    trusted: Trusted = None,
    as_json: Json = False,
) -> None:
    """Make a dataset of proved tasks and traces from notebooks and their tables."""
    from cellwright.apps.present import print_build
    from cellwright.apps.progress import make_progress
    from cellwright.pipeline.build import build as run_build
    from cellwright.pipeline.config import load_config

    flags = {"workers": workers, "trusted": trusted, "environments": environments or None}
    settings = load_config(config, changes or [], **flags)
    say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = run(run_build(source, out, settings, progress), GOES_ON)
    print_build(result, as_json=as_json)


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the samples and what is made of them.")] = Path("demo"),
    as_json: Json = False,
) -> None:
    """Run the main job on the sample notebooks that ship with Cellwright."""
    from cellwright.apps.present import print_build
    from cellwright.apps.progress import make_progress
    from cellwright.pipeline.build import build as run_build
    from cellwright.pipeline.config import load_config
    from cellwright.samples import lay_out

    samples, dataset = out / "notebooks", out / "dataset"
    lay_out(samples)
    # The samples are our own: where no sandbox can be had, they run without.
    fewer = ["ask.questions_per_notebook=8", "compose.tasks_per_table=2"]
    settings = load_config(None, fewer, trusted=not has_sandbox())
    say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = run(run_build([samples], dataset, settings, progress), GOES_ON)
    print_build(result, as_json=as_json)


def verify(
    dataset: Annotated[Path, typer.Argument(help="Folder that `cellwright build` made.")],
    environments: Environments = None,
    trusted: Trusted = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run every task's program again in fresh kernels. Exit code 1 if any answer differs."""
    from cellwright.apps.present import print_verdicts
    from cellwright.apps.progress import make_progress
    from cellwright.dataset.files import load_tasks
    from cellwright.pipeline.config import load_config
    from cellwright.pipeline.environments import eras_of, open_pool
    from cellwright.pipeline.verify import verify as run_verify

    settings = load_config(None, [], workers=workers, trusted=trusted)
    eras = eras_of(load_tasks(dataset), environments or [])
    say_isolation(trusted=settings.trusted, quiet=as_json)

    async def job() -> Any:
        async with open_pool(settings.workers, eras, trusted=settings.trusted) as pool:
            return await run_verify(dataset, pool, settings.limits, settings.prove, progress)

    with make_progress(quiet=as_json) as progress:
        verdicts = run(job())
    print_verdicts(verdicts, as_json=as_json)
    if not all(verdict.correct for verdict in verdicts):
        raise typer.Exit(1)


def show(
    task: Annotated[str, typer.Argument(help="Id of a task, or its first characters.")],
    dataset: Annotated[Path, typer.Option("--in", help="Folder that `cellwright build` made.")] = Path(),
    as_json: Json = False,
) -> None:
    """Print one task with its cells and their outputs."""
    from cellwright.apps.present import print_task
    from cellwright.core.records import to_row
    from cellwright.dataset.files import find_task, load_traces

    found = find_task(dataset, task)
    if as_json:
        typer.echo(json.dumps(to_row(found), ensure_ascii=False, indent=2))
        return
    trace = next((row for row in load_traces(dataset) if row.task_id == found.id), None)
    print_task(found, trace)


def twin(
    task: Annotated[str, typer.Argument(help="Id of a task, or its first characters.")],
    dataset: Annotated[Path, typer.Option("--in", help="Folder that `cellwright build` made.")] = Path(),
    seed: Annotated[int, typer.Option(help="Which twin: the same seed gives the same one.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Write it there, as a dataset of one task with its tables.")] = None,
    environments: Environments = None,
    trusted: Trusted = None,
    as_json: Json = False,
) -> None:
    """Re-issue a task on changed tables, its answer computed anew and proved. Exit code 1 if there is no such twin."""
    from cellwright.apps.present import print_task
    from cellwright.core.records import to_row
    from cellwright.core.types import Reject
    from cellwright.dataset.files import find_task
    from cellwright.pipeline.config import load_config
    from cellwright.pipeline.environments import eras_of, open_pool
    from cellwright.pipeline.twins import twin_of_dataset

    settings = load_config(None, [], trusted=trusted)
    found = find_task(dataset, task)
    eras = eras_of([found], environments or [])
    say_isolation(trusted=settings.trusted, quiet=as_json)

    async def job() -> Any:
        async with open_pool(1, eras, trusted=settings.trusted) as pool:
            return await twin_of_dataset(found, seed, dataset, out, pool, settings)

    made = run(job())
    if isinstance(made, Reject):
        typer.echo(f"no twin of {found.id} with seed {seed}: {visible(made.reason)}; try another --seed", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(to_row(made), ensure_ascii=False, indent=2))
        return
    print_task(made, None)
    if out is not None:
        typer.echo(f"written to {out}; next: cellwright verify {out}")


class JudgeKind(enum.StrEnum):
    """Who judges."""

    person = "person"
    program = "program"


def audit(
    dataset: Annotated[Path, typer.Argument(help="Folder that `cellwright build` made.")],
    count: Annotated[int, typer.Option("--n", min=1, help="Tasks to draw. None invalid of 299: 1% at most.")] = 299,
    seed: Annotated[int, typer.Option(help="Of the draw; the same one goes on with the same tasks.")] = 0,
    judge: Annotated[str, typer.Option(help="Who judges: a name. Without it: who is logged in.")] = "",
    kind: Annotated[JudgeKind | None, typer.Option(help="What judges.")] = None,
    verdicts: Annotated[
        Path | None,
        typer.Option(help='Take verdicts from here: lines like {"task": ID, "verdict": "invalid", "reason": "…"}.'),
    ] = None,
    as_json: Json = False,
) -> None:
    """Judge tasks drawn at random, and say what share of the dataset can be invalid.

    Verdicts stay in DATASET/audit.jsonl; the same command goes on. With --json nothing is asked.
    """
    from cellwright.apps.auditing import AuditOrder
    from cellwright.apps.auditing import audit as run_audit
    from cellwright.apps.console import make_console
    from cellwright.proof.certificate import Sitting

    if verdicts is not None and not judge:
        raise UsageError("--verdicts needs --judge: whose verdicts are they?")
    kind = kind or (JudgeKind.program if verdicts is not None else JudgeKind.person)
    sitting = Sitting(judge or getpass.getuser(), kind.value, seed)
    run_audit(AuditOrder(dataset, count, sitting, verdicts, as_json), make_console(quiet=False))


def fingerprint(
    places: Annotated[list[Path], typer.Argument(help="Folders, zips and files of a benchmark.")],
    out: Annotated[Path, typer.Option(help="Where the fingerprint goes.")],
    name: Annotated[str, typer.Option(help="What the benchmark is called. Without it: as the first place.")] = "",
    as_json: Json = False,
) -> None:
    """Hash a benchmark's tables and questions, so that builds keep parts of it out of datasets."""
    from cellwright.proof.screening.fingerprint import make_fingerprint, write_fingerprint

    found = make_fingerprint(name or places[0].resolve().stem, places)
    write_fingerprint(found, out)
    counts = {"columns": len(found.columns), "questions": len(found.questions), "hashes of tables": len(found.tables)}
    if as_json:
        typer.echo(json.dumps({"name": found.name, **counts}))
        return
    typer.echo(f"{found.name}: {', '.join(f'{count} {what}' for what, count in counts.items())}, in {out}")
    typer.echo(f"next: cellwright build … --set 'screen.fingerprints=[{out}]'")
