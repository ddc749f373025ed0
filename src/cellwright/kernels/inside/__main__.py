"""`python inside/__main__.py MODULE ...`: run a module of this folder under the name `_cellwright`.

One name, whatever stands beside the folder and wherever it is shown: nothing of ours stands in the way of a notebook's
own modules, and no path of the machine is needed to find it.
"""

import importlib
import importlib.util
import os
import sys


def run() -> None:
    here = os.path.dirname(os.path.abspath(__file__))  # noqa: PTH100, PTH120  # before anything is imported
    sys.path[:] = [entry for entry in sys.path if entry != here]
    spec = importlib.util.spec_from_file_location(
        "_cellwright", f"{here}/__init__.py", submodule_search_locations=[here]
    )
    assert spec is not None
    sys.modules["_cellwright"] = importlib.util.module_from_spec(spec)
    name = sys.argv.pop(1)
    importlib.import_module(f"_cellwright.{name}").main()


if __name__ == "__main__":
    run()
