"""`cellwright kernel` and `cellwright environment`: kernels in Jupyter, and kernel environments of other years."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cellwright.apps.commands.options import Trusted

kernel_app = typer.Typer(help="Cellwright's sandboxed kernels in JupyterLab, nbclient, papermill and `jupyter run`.")


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
