"""Branches: independent copies of a live kernel."""

import time
from pathlib import Path

import pytest

from cellwright.core.errors import KernelDied
from cellwright.kernels import Kernel, KernelSettings

from .bench import Bench, Laboratory


def branches(laboratory: Laboratory, kernel: Kernel, count: int = 1, **options: list[int]) -> list[Bench]:
    return [Bench(laboratory, branch) for branch in laboratory.run(kernel.branch(count, **options))]


def end(laboratory: Laboratory, *cells: Bench) -> None:
    for cell in cells:
        laboratory.run(cell.kernel.close())


def test_branches_go_their_own_ways(laboratory: Laboratory, table: Path) -> None:
    """Variables, files and random numbers are those of the parent at the fork, and change for each alone after it."""
    settings = KernelSettings(tables={"x.csv": table}, seed=1)
    with laboratory.kernel(settings) as parent:
        parent("import random, os; n = [0]; open('f', 'w').write('parent')")
        first, second = branches(laboratory, parent.kernel, 2)
        for number, cell in enumerate((parent, first, second)):
            cell(f"n.append({number}); open('f', 'a').write(' {number}')")
        assert [cell.value("n, open('f').read()") for cell in (parent, first, second)] == [
            "([0, 0], 'parent 0')",
            "([0, 1], 'parent 1')",
            "([0, 2], 'parent 2')",
        ]
        assert first.value("open('data/x.csv').read()[:4]") == "'city'"
        assert len({cell.value("random.random()") for cell in (parent, first, second)}) == 1
        end(laboratory, first, second)


def test_seeds_start_random_numbers_elsewhere(laboratory: Laboratory) -> None:
    """A branch with a seed has the random numbers of that seed."""
    with laboratory.kernel() as parent:
        parent("import random, numpy")
        cells = branches(laboratory, parent.kernel, 3, seeds=[5, 5, 6])
        drawn = [cell.value("random.random(), numpy.random.rand()") for cell in cells]
        assert drawn[0] == drawn[1] != drawn[2]
        end(laboratory, *cells)
        with pytest.raises(ValueError, match="2 branches need 2 seeds"):
            laboratory.run(parent.kernel.branch(2, seeds=[1]))


def test_branch_outlives_its_parent_and_its_siblings(laboratory: Laboratory) -> None:
    """Each lives until it is closed itself, and a branch has branches too."""
    with laboratory.kernel() as parent:
        parent("x = 'kept'")
        (child,) = branches(laboratory, parent.kernel)
        (grandchild, sibling) = branches(laboratory, child.kernel, 2)
        end(laboratory, parent)
        sibling("import os; os._exit(1)")
        assert child.value("x") == "'kept'"
        end(laboratory, child)
        assert grandchild.value("x") == "'kept'"
        end(laboratory, grandchild, sibling)
        with pytest.raises(KernelDied):
            laboratory.run(parent.kernel.branch())


def test_branch_has_all_that_a_kernel_has(laboratory: Laboratory) -> None:
    """Outputs, figures, interrupts, awaiting and child processes work as in the parent."""
    with laboratory.kernel() as parent:
        parent("import matplotlib.pyplot as plt, subprocess")
        (child,) = branches(laboratory, parent.kernel)
        assert child("print('hello')").stdout == "hello\n"
        assert child("_ = subprocess.run(['echo', 'from a child'])").stdout == "from a child\n"
        assert child("import asyncio\nawait asyncio.sleep(0.01)\nprint('awaited')").stdout == "awaited\n"
        assert any("image/png" in output.data for output in child("plt.plot([1, 2]); plt.show()").outputs)
        assert child("while True: pass", timeout_s=0.3).status == "timeout"
        assert child.value("1 + 1") == "2"
        assert parent("print('the parent too')").stdout == "the parent too\n"
        end(laboratory, child)


def test_branch_cannot_see_its_parent(laboratory: Laboratory) -> None:
    """With namespaces, a branch sees its own processes only, and its files are in another place than the parent's."""
    if laboratory.kind not in {"root", "user namespaces"}:
        pytest.skip("only namespaces promise this")
    with laboratory.kernel() as parent:
        parent("import os; open('secret', 'w').write('x')")
        (child,) = branches(laboratory, parent.kernel)
        parent("open('later', 'w').write('x')")
        assert child.value("sorted(os.listdir())") == "['data', 'secret']"
        assert int(child.value("len([p for p in os.listdir('/proc') if p.isdigit()])")) == 2
        assert child("os.kill(-1, 9)").status == "error"
        assert parent.value("1") == "1"
        end(laboratory, child)


def test_death_of_a_branch_is_seen_at_once(laboratory: Laboratory) -> None:
    """Its cell is dead within a second, and the parent is as it was."""
    with laboratory.kernel() as parent:
        (child,) = branches(laboratory, parent.kernel)
        started = time.monotonic()
        result = child("import os; os._exit(3)")
        assert (result.status, time.monotonic() - started < 2) == ("dead", True)
        assert parent.value("1") == "1"
        end(laboratory, child)


def test_branch_of_a_closed_branch_outlives_the_first_parent(laboratory: Laboratory) -> None:
    """Whoever ends in between, and whoever ends after that, a kernel lives until it is closed itself."""
    with laboratory.kernel() as parent:
        parent("x = 'kept'")
        (child,) = branches(laboratory, parent.kernel)
        (grandchild,) = branches(laboratory, child.kernel)
        end(laboratory, child)
        assert grandchild("print(x)").stdout == "kept\n"
        end(laboratory, parent)
        assert grandchild("print(x)").stdout == "kept\n"
        end(laboratory, grandchild)


def test_ended_branches_leave_no_zombies(laboratory: Laboratory) -> None:
    """Of a kernel that branches again and again, at most the last branch has not been waited for."""
    count = (
        "import os, time\n"
        "time.sleep(0.1); found = 0\n"
        "try:\n"
        "    while os.waitpid(-1, os.WNOHANG)[0]: found += 1\n"
        "except ChildProcessError: pass\n"
        "print(found)"
    )
    with laboratory.kernel() as parent:
        for _ in range(4):
            (child,) = branches(laboratory, parent.kernel)
            end(laboratory, child)
        assert parent(count).stdout in {"0\n", "1\n"}
