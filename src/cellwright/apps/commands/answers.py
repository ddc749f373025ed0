"""Commands that answer questions, run such answers again, and grade them."""

import enum
from pathlib import Path
from typing import Annotated

import typer

from cellwright.apps.commands.options import Json, Preload, Trusted
from cellwright.apps.commands.running import fail, run, say_isolation
from cellwright.apps.texts import in_markup
from cellwright.core.errors import UsageError


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
    say_isolation(trusted=bool(trusted), quiet=as_json)
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
    outcome = run(run_ask(order, choice.endpoint, console))
    if as_json:
        typer.echo(outcome_json(outcome))
    if outcome.traces[-1].ending == "stopped":
        raise typer.Exit(130)
    if not outcome.is_answered or outcome.verified is False:
        raise typer.Exit(1)


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
    say_isolation(trusted=bool(trusted), quiet=as_json)
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

    found, is_written = run(job())
    if as_json:
        typer.echo(replaying.replay_json(found, opened))
    if not is_written:
        raise typer.Exit(fail(f"{out} is not written: which cells matter cannot be known", 1))
    if not found.replay.is_same:
        raise typer.Exit(1)
