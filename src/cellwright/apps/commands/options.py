"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

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
