"""`cellwright train`: fine-tune on a built dataset, look at what is trained, merge, and find the files that ship."""

import os
from pathlib import Path
from typing import Annotated

import typer

from cellwright.core.errors import UsageError

train_app = typer.Typer(help="Fine-tune models on built datasets.")

_RECIPE_HELP = "A recipe that ships with Cellwright, by its name, or a YAML file."
_Dataset = Annotated[Path, typer.Argument(help="Folder that `cellwright build` made.")]
_Model = Annotated[str | None, typer.Option(help="A model's folder, or its name on the Hub, in place of the recipe's.")]
_Recipe = Annotated[str, typer.Option("--config", help=_RECIPE_HELP)]
_Changes = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change one setting, as data.window=8192.")
]
_Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, for machines.")]
_DEFAULT = "qwen3-4b-instruct"


@train_app.command()
def sft(
    dataset: _Dataset,
    out: Annotated[Path, typer.Option(help="Folder for the model; the same one again goes on.")],
    model: _Model = None,
    config: _Recipe = _DEFAULT,
    changes: _Changes = None,
    sweep: Annotated[str, typer.Option(help="Train for each value of one setting, as epochs=1,2,3,5,7.")] = "",
    as_json: _Json = False,
) -> None:
    """Fine-tune a model on the traces of a dataset. A run that was stopped goes on when the command is given again."""
    from cellwright.apps.training.present import print_result, print_sweep, watching
    from cellwright.training.recipe import load_recipe
    from cellwright.training.sft import is_first_rank, train_sft
    from cellwright.training.sweep import Base, read_sweep, run_sweep

    if sweep:
        wanted = read_sweep(sweep)
        with watching(quiet=as_json) as hear:
            outcomes = run_sweep(Base(dataset, config, changes or [], model, out), wanted, hear)
        if is_first_rank():
            print_sweep(wanted, outcomes, out, as_json=as_json)
        return
    recipe = load_recipe(config, changes or [], model)
    with watching(quiet=as_json) as hear:
        result = train_sft(dataset, recipe, out, hear)
    if is_first_rank():
        print_result(result, out, as_json=as_json)


_MODEL_HELP = "The student: a folder with a model, a name, or the URL of an endpoint."
_TEACHER_HELP = (
    "A model's name or the URL of an endpoint; traces: the dataset's own proved ones. With --on-policy, a model's "
    "folder or its name on the Hub, of the student's vocabulary."
)
_ON_POLICY_HELP = "Let the student say its turns anew, and draw it to what the teacher would have said there."


@train_app.command()
def distil(
    dataset: _Dataset,
    out: Annotated[Path, typer.Option(help="Folder for runs, dataset and counts; the same one again goes on.")],
    model: Annotated[str, typer.Option(help=_MODEL_HELP)],
    teacher: Annotated[str, typer.Option(help=_TEACHER_HELP)] = "traces",
    url: Annotated[str, typer.Option(help="The endpoint that serves the teacher, as http://localhost:8000/v1.")] = "",
    samples: Annotated[int, typer.Option(min=1, help="Runs of the student at each task.")] = 4,
    enough: Annotated[int, typer.Option(min=1, help="Right ones of these with which a task is not taught.")] = 1,
    tries: Annotated[int, typer.Option(min=1, help="Runs of the teacher at each task that the student fails.")] = 1,
    tasks: Annotated[int | None, typer.Option(min=1, help="Only so many tasks of the train split.")] = None,
    temperature: Annotated[float, typer.Option(help="Of the student's sampling.")] = 1.0,
    reply_tokens: Annotated[int | None, typer.Option(help="Of one turn of the student, at the most.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Turns of a run.")] = 25,
    thinks: Annotated[bool | None, typer.Option("--thinks/--no-thinks", help="Whether the teacher does.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Kernels, and runs, at once.")] = 4,
    environments: Annotated[list[str] | None, typer.Option("--environment", metavar="NAME[=PATH]")] = None,
    trusted: Annotated[bool, typer.Option("--trusted", help="Run what models write without a sandbox.")] = False,
    train: Annotated[bool, typer.Option("--train", help="Go on to train the student on what comes out.")] = False,
    on_policy: Annotated[bool, typer.Option("--on-policy", help=_ON_POLICY_HELP)] = False,
    config: _Recipe = _DEFAULT,
    changes: _Changes = None,
    as_json: _Json = False,
) -> None:
    """Let a student do the training tasks, and make a dataset of a teacher's answers to those that it fails."""
    from cellwright.agent import RunLimits
    from cellwright.apps.asking.models import IN_THIS_PROCESS, ModelOptions, find_model
    from cellwright.apps.training.distilling import Kernels, Models, run_distil, run_failures
    from cellwright.apps.training.present import print_on_policy, print_result, print_tally, watching
    from cellwright.models import Sampling
    from cellwright.training.distil import DATASET, MODEL, TRACES_AS_TEACHER, Distil
    from cellwright.training.distil.on_policy import check_on_policy, learn, turns_of
    from cellwright.training.recipe import load_recipe
    from cellwright.training.sft import train_sft

    student = find_model(ModelOptions(model)).endpoint
    proved = teacher == TRACES_AS_TEACHER and not url
    if os.environ.get("WORLD_SIZE", "1") != "1":
        raise UsageError("a student does its tasks from one process: leave out the launcher, and train sft by it after")
    if on_policy and train:
        raise UsageError("--on-policy trains by itself: leave out --train")
    if on_policy and (proved or url):
        raise UsageError("--on-policy needs --teacher with a folder or a name on the Hub: its weights weigh each token")
    other = None if proved or on_policy else find_model(ModelOptions(teacher, thinks=thinks, url=url)).endpoint
    # Read before the first run: a mistake in it should not come to light after hours.
    if (train or on_policy) and student.url != IN_THIS_PROCESS:
        raise UsageError(
            f"{'--on-policy' if on_policy else '--train'} needs a student whose weights are at hand, as a folder, and "
            f"{model} is none. Leave it out, and train afterwards: "
            f"cellwright train sft {out / DATASET} --out MODEL --model ID_OR_FOLDER"
        )
    recipe = load_recipe(config, changes or [], model) if train or on_policy else None
    order = Distil(
        model,
        f"{teacher}, on policy" if on_policy else TRACES_AS_TEACHER if other is None else other.traits.name,
        samples=samples,
        enough=enough,
        tries=tries,
        tasks=tasks,
        student_sampling=Sampling(temperature=temperature, max_tokens=reply_tokens),
        limits=RunLimits(steps=steps),
    )
    kernels = Kernels(workers, tuple(environments or ()), trusted)
    if on_policy and recipe is not None:
        with watching(quiet=as_json) as hear:
            check_on_policy(recipe, teacher)
            tally, runs = run_failures(dataset, out, order, student, kernels, hear)
            if not as_json or not runs:
                print_tally(tally, None, as_json=as_json)
            taught = learn(turns_of(runs, recipe), teacher, recipe, out / MODEL, hear) if runs else None
        if taught is not None:
            print_on_policy(taught, out / MODEL, as_json=as_json)
        return
    with watching(quiet=as_json) as hear:
        tally = run_distil(dataset, out, order, Models(student, other), kernels, hear)
    print_tally(tally, out / DATASET, as_json=as_json and recipe is None)
    if recipe is not None and tally.taught:
        with watching(quiet=as_json) as hear:
            result = train_sft(out / DATASET, recipe, out / MODEL, hear)
        print_result(result, out / MODEL, as_json=as_json)


@train_app.command()
def inspect(
    dataset: _Dataset,
    trace: Annotated[str, typer.Argument(help="Id of a task or trace, or its first characters.")] = "",
    model: _Model = None,
    config: _Recipe = _DEFAULT,
    changes: _Changes = None,
    as_json: _Json = False,
) -> None:
    """Show a trace token by token: trained, context, or truncated; without colours, ⟦trained⟧ and ⟪truncated⟫."""
    from cellwright.apps.training.present import print_inspected
    from cellwright.training.inspecting import inspect_trace
    from cellwright.training.recipe import load_recipe

    found = inspect_trace(dataset, load_recipe(config, changes or [], model), trace)
    print_inspected(found, as_json=as_json)


@train_app.command()
def merge(
    adapter: Annotated[Path, typer.Argument(help="Folder that `cellwright train sft` made by a recipe with `lora`.")],
    out: Annotated[Path, typer.Option(help="Folder for the whole model.")],
) -> None:
    """Make one model of an adapter and the model that it was trained on."""
    from cellwright.training.merge import merge_adapter

    count = merge_adapter(adapter, out)
    typer.echo(f"{count:,} parameters in {out}; next: cellwright ask QUESTION FILES --model {out}")


@train_app.command("files")
def files_command(
    name: Annotated[str, typer.Argument(help="Print where this one stands, for other programs' options.")] = "",
) -> None:
    """List the files that ship: recipes, settings of accelerate for several GPUs, a Slurm script."""
    from cellwright.training.shipped import find_file, shipped_files

    if name:
        typer.echo(find_file(name))
        return
    for path in shipped_files():
        first = path.read_text(encoding="utf-8").removeprefix("#!/bin/bash\n").splitlines()[0]
        typer.echo(f"{path.name:<24} {first.removeprefix('# ')}")
