"""The corpus of these tests, and builds of it."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from cellwright.pipeline.build import BuildResult
from cellwright.pipeline.build import build as run_build
from cellwright.pipeline.config import BuildConfig, load_config
from tests.writing import write_notebook

FAST = (
    "ask.questions_per_notebook=7",
    "compose.tasks_per_table=0",
    "execute.cell_s=5",
    "limits.output_bytes=200000",
)


CITIES = ("a", "b", "highest", "d", "e", "f")


class Quiet:
    """Progress that nobody watches."""

    def begin(self, stage: str, total: int | None) -> None:
        """Nothing."""

    def working(self, stage: str, path: str) -> AbstractContextManager[None]:
        """Nothing."""
        return nullcontext()

    def advance(self, stage: str, count: int) -> None:
        """Nothing."""

    def end(self, stage: str, kept: int, rejected: int) -> None:
        """Nothing."""


def lay_out(folder: Path) -> Path:
    """Two tables, two notebooks that read them in their own ways, and every kind of file that gives no task.

    One city has the name of a word that the question about it needs.
    """
    (folder / "data").mkdir(parents=True)
    rows = [
        f"{city},{year},{(index * 7 + year) % 23},{index}.5" for index, city in enumerate(CITIES) for year in (1, 2)
    ]
    (folder / "data" / "sales.csv").write_text("city,year,sold,price\n" + "\n".join(rows) + "\n")
    (folder / "data" / "Staff.csv").write_text("name,age\nAda,36\nBob,\nCy,51\nDee,44\n")
    write_notebook(
        folder / "sales.ipynb",
        "import pandas as pd\nimport numpy as np\nnp.random.seed(0)",
        "df = pd.read_csv('/kaggle/input/shop/sales.csv')\ndf.head()",
        "six = np.product([2, 3])\nbroken = undefined_name + 1",
        "df.sold.mean()",
        "print(df[df.year == 2].price.max())\nprint('rows', len(df))",
        "df.groupby('city').sold.sum()",
        "np.random.rand()",
        "!pip install something\n!rm -rf data",
    )
    write_notebook(
        folder / "sub" / "staff.ipynb", "import pandas as pd", "pd.read_csv('../staff.CSV').age.isnull().sum()"
    )
    write_notebook(
        folder / "sub" / "staff-copy.ipynb", "import pandas as pd", "pd.read_csv('../staff.CSV').age.isnull().sum()"
    )
    write_notebook(folder / "no-file.ipynb", "1 + 1")
    write_notebook(folder / "no-table.ipynb", "import pandas as pd\npd.read_csv('gone.csv').shape")
    write_notebook(folder / "in-r.ipynb", "x <- 1", kernelspec={"name": "ir", "language": "R"})
    write_notebook(folder / "no-output.ipynb", "import pandas as pd\ndf = pd.read_csv('data/sales.csv')")
    (folder / "truncated.ipynb").write_text('{"nbformat": 4, "cells": [{"cell_ty')
    (folder / "empty.ipynb").write_text("")
    return folder


def settings(*changes: str) -> BuildConfig:
    """Settings for quick builds of trusted notebooks."""
    return load_config(None, [*FAST, *changes], trusted=True)


def build(source: Path, out: Path, *changes: str, beside: Sequence[Path] = ()) -> BuildResult:
    """Build a dataset of one source, and of others beside it."""
    return asyncio.run(run_build([source, *beside], out, settings(*changes), Quiet()))
