"""The command line. Parses, calls, prints; the work is done below.

Heavy modules are imported by the command that needs them, so that `cellwright --help` is quick.
"""

import asyncio
import json
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

import cellwright
from cellwright.core.errors import CellwrightError, UsageError

app = typer.Typer(
    help="Turn Jupyter notebooks into proved data-analysis tasks and traces.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
T = TypeVar("T")

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
Trusted = Annotated[
    bool | None,
    typer.Option("--trusted", help="Run notebooks without a sandbox. Only when you trust whoever wrote them."),
]
Workers = Annotated[int | None, typer.Option(min=1, help="Kernels alive at once.")]
Config = Annotated[Path | None, typer.Option("--config", exists=True, dir_okay=False, help="YAML file of settings.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, as execute.cell_s=60.")
]


def main() -> None:
    """Run the command line; a person's mistake ends in one line and exit code 2, never in a traceback."""
    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s: %(message)s")
    try:
        app()
    except UsageError as error:
        sys.exit(_fail(str(error), 2))
    except CellwrightError as error:
        sys.exit(_fail(f"{type(error).__name__}: {error}", 1))
    except KeyboardInterrupt:
        sys.exit(_fail("stopped. What was done is kept: the same command goes on from there.", 130))


def _fail(message: str, code: int) -> int:
    typer.echo(f"cellwright: {message}", err=True)
    return code


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"cellwright {cellwright.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _has_sandbox() -> bool:
    from cellwright.core.errors import NoSandbox
    from cellwright.kernels.isolation import best_rung

    try:
        best_rung(sys.executable)
    except NoSandbox:
        return False
    return True


def _say_isolation(*, trusted: bool, quiet: bool) -> None:
    """Which rung of the ladder kernels will have. A machine without any is reported by whoever starts one."""
    from cellwright.kernels.isolation import WORDS, best_rung

    if not quiet and (trusted or _has_sandbox()):
        typer.echo(f"kernels: {WORDS['trusted' if trusted else best_rung(sys.executable)]}", err=True)


def _run(job: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(job)


@app.command()
def build(
    source: Annotated[list[Path], typer.Argument(help="Folders, zip files or notebooks.")],
    out: Annotated[Path, typer.Option(help="Folder for the dataset; the same one again resumes.")],
    config: Config = None,
    changes: Settings = None,
    workers: Workers = None,
    trusted: Trusted = None,
    as_json: Json = False,
) -> None:
    """Make a dataset of proved tasks and traces from notebooks and their tables."""
    from cellwright.apps.present import print_build
    from cellwright.apps.progress import make_progress
    from cellwright.pipeline.build import build as run_build
    from cellwright.pipeline.config import load_config

    settings = load_config(config, changes or [], workers=workers, trusted=trusted)
    _say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = _run(run_build(source, out, settings, progress))
    print_build(result, as_json=as_json)


@app.command()
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
    settings = load_config(None, ["ask.questions_per_notebook=8"], trusted=not _has_sandbox())
    _say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = _run(run_build([samples], dataset, settings, progress))
    print_build(result, as_json=as_json)


@app.command()
def verify(
    dataset: Annotated[Path, typer.Argument(help="Folder that `cellwright build` made.")],
    trusted: Trusted = None,
    workers: Workers = None,
    as_json: Json = False,
) -> None:
    """Run every task's program again in fresh kernels. Exit code 1 if any answer differs."""
    from cellwright.apps.present import print_verdicts
    from cellwright.apps.progress import make_progress
    from cellwright.kernels import LocalPool
    from cellwright.pipeline.config import load_config
    from cellwright.pipeline.verify import verify as run_verify

    settings = load_config(None, [], workers=workers, trusted=trusted)
    _say_isolation(trusted=settings.trusted, quiet=as_json)

    async def job() -> Any:
        async with LocalPool(settings.workers, rung="trusted" if settings.trusted else None) as pool:
            return await run_verify(dataset, pool, settings.limits, settings.prove, progress)

    with make_progress(quiet=as_json) as progress:
        verdicts = _run(job())
    print_verdicts(verdicts, as_json=as_json)
    if not all(verdict.correct for verdict in verdicts):
        raise typer.Exit(1)


@app.command()
def show(
    task: Annotated[str, typer.Argument(help="Id of a task, or its first characters.")],
    dataset: Annotated[Path, typer.Option("--in", help="Folder that `cellwright build` made.")] = Path(),
    as_json: Json = False,
) -> None:
    """Print one task with its cells and their outputs."""
    from cellwright.apps.present import print_task
    from cellwright.core.records import to_row
    from cellwright.pipeline.export import load_tasks, load_traces

    tasks = [row for row in load_tasks(dataset) if row.id.startswith(task)]
    if len(tasks) != 1:
        problem = "no task" if not tasks else f"{len(tasks)} tasks"
        raise UsageError(f"{problem} in {dataset} with an id that begins with {task!r}")
    if as_json:
        typer.echo(json.dumps(to_row(tasks[0]), ensure_ascii=False, indent=2))
        return
    trace = next((row for row in load_traces(dataset) if row.task_id == tasks[0].id), None)
    print_task(tasks[0], trace)


@app.command()
def grade(
    expected: Annotated[str, typer.Option(help="The right answer, as text or as JSON.")],
    given: Annotated[str, typer.Option(help="The answer to judge, as somebody wrote it.")],
    contract: Annotated[
        str, typer.Option(help="What was asked for: 'number, decimals=2', 'list of text', or a JSON object.")
    ],
    as_json: Json = False,
) -> None:
    """Say whether an answer is right, and why. Exit code 0: correct, 1: wrong, 3: it cannot be told."""
    from cellwright.apps.grade import EXIT_CODES
    from cellwright.apps.grade import grade as run_grade

    found = run_grade(expected, given, contract, as_json=as_json)
    raise typer.Exit(EXIT_CODES[found.verdict])
