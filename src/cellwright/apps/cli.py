"""The command line. Parses, calls, prints; the work is done below.

Heavy modules are imported by the command that needs them, so that `cellwright --help` is quick.
"""

import asyncio
import enum
import getpass
import json
import logging
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

import cellwright
from cellwright.apps.texts import in_markup, visible
from cellwright.apps.training.commands import train_app
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
Preload = Annotated[
    bool, typer.Option("--preload/--no-preload", help="Import pandas and the like before the kernel is asked for.")
]
Workers = Annotated[int | None, typer.Option(min=1, help="Kernels alive at once.")]
Environments = Annotated[
    list[str] | None,
    typer.Option(
        "--environment",
        metavar="NAME[=PATH]",
        help="A kernel environment of another year, as `cellwright environment list` names it, or a Python's path.",
    ),
]
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
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(_fail(f"{error.filename}: {error.strerror}", 1))


def _fail(message: str, code: int) -> int:
    typer.echo(f"cellwright: {visible(message)}", err=True)
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
    """To its end, or to Ctrl-C: what typer says then is nothing."""
    try:
        return asyncio.run(job)
    except KeyboardInterrupt:
        raise typer.Exit(_fail("stopped", 130)) from None


def _run_build(job: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(job)
    except KeyboardInterrupt:
        told = "stopped. What was done is kept: the same command goes on from there."
        raise typer.Exit(_fail(told, 130)) from None


@app.command()
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
    _say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = _run_build(run_build(source, out, settings, progress))
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
    fewer = ["ask.questions_per_notebook=8", "compose.tasks_per_table=2"]
    settings = load_config(None, fewer, trusted=not _has_sandbox())
    _say_isolation(trusted=settings.trusted, quiet=as_json)
    with make_progress(quiet=as_json) as progress:
        result = _run_build(run_build([samples], dataset, settings, progress))
    print_build(result, as_json=as_json)


@app.command()
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
    _say_isolation(trusted=settings.trusted, quiet=as_json)

    async def job() -> Any:
        async with open_pool(settings.workers, eras, trusted=settings.trusted) as pool:
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
    from cellwright.dataset.files import find_task, load_traces

    found = find_task(dataset, task)
    if as_json:
        typer.echo(json.dumps(to_row(found), ensure_ascii=False, indent=2))
        return
    trace = next((row for row in load_traces(dataset) if row.task_id == found.id), None)
    print_task(found, trace)


@app.command()
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
    _say_isolation(trusted=settings.trusted, quiet=as_json)

    async def job() -> Any:
        async with open_pool(1, eras, trusted=settings.trusted) as pool:
            return await twin_of_dataset(found, seed, dataset, out, pool, settings)

    made = _run(job())
    if isinstance(made, Reject):
        typer.echo(f"no twin of {found.id} with seed {seed}: {visible(made.reason)}; try another --seed", err=True)
        raise typer.Exit(1)
    if as_json:
        typer.echo(json.dumps(to_row(made), ensure_ascii=False, indent=2))
        return
    print_task(made, None)
    if out is not None:
        typer.echo(f"written to {out}; next: cellwright verify {out}")


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


class Keep(enum.StrEnum):
    """Which cells of an answer's notebook stay."""

    all = "all"
    only_what_matters = "only-what-matters"


_MODEL_HELP = "A model's name, the URL of an endpoint that speaks OpenAI's API, a folder with a model, or built-in."
_PRICE_HELP = "Dollars for a million tokens: IN,OUT or IN,OUT,CACHED."


@app.command()
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Files or folders that the answer is in.")] = None,
    model: Annotated[str, typer.Option(help=_MODEL_HELP)] = "",
    out: Annotated[Path | None, typer.Option(help="Where the notebook goes. Without it: answer.ipynb, here.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a notebook that is there.")] = False,
    goes_on: Annotated[bool, typer.Option("--continue", help="Ask on in the same kernel.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Ask before each cell runs.")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="Run the notebook again before answering.")] = False,
    keep: Annotated[Keep, typer.Option(help="Which cells stay; the others are dropped after a replay.")] = Keep.all,
    prompt: Annotated[str, typer.Option(help="Name of the system prompt.")] = "analyst",
    steps: Annotated[int, typer.Option(min=1, help="Turns of the model.")] = 25,
    cell_s: Annotated[float, typer.Option("--cell-seconds", help="For one cell.")] = 120.0,
    wall_s: Annotated[float | None, typer.Option("--max-seconds", help="For the whole run.")] = None,
    tokens: Annotated[int | None, typer.Option("--max-tokens", help="In and out together.")] = None,
    cost_usd: Annotated[float | None, typer.Option("--max-cost", help="Dollars; needs a known price.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Of sampling.")] = None,
    thinks: Annotated[bool | None, typer.Option("--thinks/--no-thinks", help="Whether it thinks aloud.")] = None,
    sends: Annotated[bool, typer.Option("--sends-thinking", help="Send it the thinking of its earlier turns.")] = False,
    sees: Annotated[bool | None, typer.Option("--sees/--no-sees", help="Whether it takes pictures.")] = None,
    window: Annotated[int | None, typer.Option(help="Tokens of its context window.")] = None,
    price: Annotated[str, typer.Option(help=_PRICE_HELP)] = "",
    cache: Annotated[Path | None, typer.Option(help="Keep replies in this file; the same chat is asked once.")] = None,
    preload: Preload = True,
    trusted: Trusted = None,
    as_json: Json = False,
) -> None:
    """Answer a question about files, in a notebook that re-runs."""
    from cellwright.agent import RunLimits, load_prompt
    from cellwright.apps.asking import AskOrder
    from cellwright.apps.asking import ask as run_ask
    from cellwright.apps.asking.models import ModelOptions, find_model
    from cellwright.apps.asking.present import outcome_json
    from cellwright.apps.asking.session import free_name, writable
    from cellwright.apps.console import make_console
    from cellwright.kernels import Limits
    from cellwright.models import Sampling

    load_prompt(prompt)
    if out is None:
        out = Path("answer.ipynb") if force else free_name(Path())
    target = writable(out, overwrites=force)
    choice = find_model(ModelOptions(model, thinks, sees, window, price, sends), or_built_in=True)
    if cost_usd is not None and choice.endpoint.price is None:
        raise UsageError("--max-cost needs --price: this endpoint does not say what a token costs")
    console = make_console(quiet=as_json)
    found = f"{choice.endpoint.traits.name}, {choice.endpoint.url}, by {choice.found_by}"
    console.print(f"model: {in_markup(found)}", soft_wrap=True)
    _say_isolation(trusted=bool(trusted), quiet=as_json)
    order = AskOrder(
        question,
        files or [],
        target,
        prompt,
        RunLimits(steps=steps, cell_s=cell_s, wall_s=wall_s, tokens=tokens, cost_usd=cost_usd),
        Limits(),
        "trusted" if trusted else None,
        Sampling(temperature=temperature),
        approves=approve,
        goes_on=goes_on,
        verifies=verify,
        keeps_only_what_matters=keep is Keep.only_what_matters,
        cache=cache,
        preloads=preload,
    )
    outcome = _run(run_ask(order, choice.endpoint, console))
    if as_json:
        typer.echo(outcome_json(outcome))
    if outcome.traces[-1].ending == "stopped":
        raise typer.Exit(130)
    if not outcome.is_answered or outcome.verified is False:
        raise typer.Exit(1)


@app.command()
def replay(
    notebook: Annotated[Path, typer.Argument(help="A notebook, as `cellwright ask` writes it.")],
    files: Annotated[list[Path] | None, typer.Argument(help="Files that it reads and that it does not name.")] = None,
    cell_s: Annotated[float, typer.Option("--cell-seconds", help="For one cell.")] = 120.0,
    keep: Annotated[Keep, typer.Option(help="Which cells stay in the file of --out.")] = Keep.all,
    out: Annotated[Path | None, typer.Option(help="Where the notebook of --keep goes.")] = None,
    preload: Preload = True,
    trusted: Trusted = None,
    as_json: Json = False,
) -> None:
    """Run a notebook again in a fresh kernel. Exit code 1 if a cell or an answer does not come out the same."""
    from cellwright.apps import replaying
    from cellwright.apps.asking.session import writable
    from cellwright.apps.console import make_console
    from cellwright.kernels import DATA_SCIENCE, Limits, LocalPool

    if (keep is Keep.only_what_matters) != (out is not None):
        raise UsageError("--keep only-what-matters and --out go together: the notebook itself is not changed")
    if out is not None:
        writable(out, overwrites=False)
    opened = replaying.open_notebook(notebook, files or [])
    console = make_console(quiet=as_json)
    _say_isolation(trusted=bool(trusted), quiet=as_json)
    replaying.print_left_out(opened.placement, console)
    for name in opened.changed:
        console.print(f"[yellow]{in_markup(name)} is not as it was when the notebook was made[/]")

    async def job() -> tuple[replaying.Checked, bool]:
        modules = DATA_SCIENCE if preload else ()
        async with LocalPool(2, rung="trusted" if trusted else None, preload=modules) as pool:
            found = await replaying.run_again(opened, pool, Limits(), cell_s=cell_s, console=console)
            replaying.print_answers(found.replay, console)
            if out is not None:
                data = await replaying.keep_what_matters(
                    opened.notebook, found.replay, pool, opened.placement, Limits(), console, cell_s
                )
                if data is None:
                    return found, False
                out.write_bytes(data)
            return found, True

    found, is_written = _run(job())
    if as_json:
        typer.echo(replaying.replay_json(found, opened))
    if not is_written:
        raise typer.Exit(_fail(f"{out} is not written: which cells matter cannot be known", 1))
    if not found.replay.is_same:
        raise typer.Exit(1)


class JudgeKind(enum.StrEnum):
    """Who judges."""

    person = "person"
    program = "program"


@app.command()
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


@app.command()
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


app.add_typer(train_app, name="train", no_args_is_help=True)

kernel_app = typer.Typer(help="Cellwright's sandboxed kernels in JupyterLab, nbclient, papermill and `jupyter run`.")
app.add_typer(kernel_app, name="kernel", no_args_is_help=True)


@kernel_app.command("install")
def kernel_install(
    name: Annotated[str, typer.Option(help="What Jupyter calls it, as in --kernel=NAME.")] = "cellwright",
    display_name: Annotated[str, typer.Option(help="What people see.")] = "Python (Cellwright)",
    python: Annotated[Path | None, typer.Option(help="The interpreter that runs it; it needs ipykernel.")] = None,
    user: Annotated[bool, typer.Option("--user", help="For you, in every environment.")] = False,
    prefix: Annotated[Path | None, typer.Option(help="For the environment that stands there.")] = None,
    network: Annotated[bool, typer.Option("--network", help="Let kernels reach the network.")] = False,
    files: Annotated[bool, typer.Option("--files/--no-files", help="Show the notebook's folder, read-only.")] = True,
    memory_gib: Annotated[float, typer.Option("--memory", min=0.1, help="GiB that one kernel may use.")] = 4.0,
    trusted: Trusted = None,
) -> None:
    """Make the sandboxed kernel one that Jupyter offers; without --user or --prefix, in this environment."""
    from cellwright.kernels import Limits
    from cellwright.kernels.jupyter.specs import Spec, install

    spec = Spec(
        name,
        display_name,
        str(python or sys.executable),
        "trusted" if trusted else None,
        network,
        files,
        Limits(memory_bytes=int(memory_gib * 2**30), output_bytes=64 << 20),
    )
    target = install(spec, prefix=str(prefix) if prefix is not None else None, user=user)
    typer.echo(f"installed as {name!r} in {target}")
    typer.echo(f"next: choose {display_name!r} in JupyterLab, or run `jupyter execute --kernel_name={name} NOTEBOOK`")


@kernel_app.command("list")
def kernel_list() -> None:
    """The kernels of ours that Jupyter finds."""
    from cellwright.kernels.jupyter.specs import installed

    found = installed()
    for name, folder in sorted(found.items()):
        typer.echo(f"{name}  {folder}")
    if not found:
        typer.echo("none; `cellwright kernel install` makes one")


@kernel_app.command("uninstall")
def kernel_uninstall(name: Annotated[str, typer.Argument(help="Its name.")] = "cellwright") -> None:
    """Take the kernel out of what Jupyter offers."""
    from cellwright.kernels.jupyter.specs import uninstall

    typer.echo(f"removed {uninstall(name)}")


environment_app = typer.Typer(help="Kernel environments of other years, for notebooks that today's libraries broke.")
app.add_typer(environment_app, name="environment", no_args_is_help=True)


@environment_app.command("create")
def environment_create(
    name: Annotated[str, typer.Argument(help="One that `cellwright environment list` shows.")],
    python: Annotated[
        str | None, typer.Option(help="The interpreter to make it from, of the version it needs.")
    ] = None,
    into: Annotated[
        Path | None, typer.Option(help="A folder of its own. Without it: where it is found by name.")
    ] = None,
) -> None:
    """Install an environment from the lock that ships with Cellwright; one that is there already stays."""
    from cellwright.kernels.eras import create, shipped

    if name in shipped():
        typer.echo(f"{name}: installing; this takes minutes the first time", err=True)
    era = create(name, python=python, into=into)
    told = name if into is None else f"{name}={into}"
    typer.echo(f"{name}: {era.versions}")
    typer.echo(f"next: cellwright build NOTEBOOKS --out DATASET --environment {told}")


@environment_app.command("list")
def environment_list() -> None:
    """The environments that ship with Cellwright, and whether they are installed."""
    from cellwright.kernels.eras import default_folder, is_made, shipped

    for era in shipped().values():
        folder = default_folder(era.name)
        where = str(folder) if is_made(era, folder) else f"not installed; cellwright environment create {era.name}"
        typer.echo(f"{era.name}  {era.about}; Python {era.python}\n  {where}")
