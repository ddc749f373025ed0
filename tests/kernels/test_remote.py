"""Kernels in E2B's sandboxes, through E2B's SDK, against a server on this machine that answers as E2B does."""

import asyncio
import contextlib
import socket
import sys
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cellwright.core.errors import KernelDied, KernelError, KernelStartError, MissingExtra, UsageError
from cellwright.core.types import CellResult
from cellwright.kernels import Kernel, KernelSettings, Limits
from cellwright.kernels.remote import E2B, RemotePool

from . import test_contract as contract
from .bench import GRACE_S, Bench, Laboratory
from .e2b_server import KEY, E2BServer

# What of the contract one sandbox with a stock ipykernel can show. Left out: the order of a child process's output and
# of its cell's, which a stock ipykernel does not keep; limits of all processes together; what knows our own kernel; and
# 20,000 messages, which take this server half a minute.
test_state_lives_across_cells = contract.test_state_lives_across_cells
test_error_has_name_message_and_plain_traceback = contract.test_error_has_name_message_and_plain_traceback
test_syntax_error_is_an_error = contract.test_syntax_error_is_an_error
test_system_exit_is_an_error_and_the_kernel_lives = contract.test_system_exit_is_an_error_and_the_kernel_lives
test_unicode_goes_in_and_out = contract.test_unicode_goes_in_and_out
test_figure_comes_as_png = contract.test_figure_comes_as_png
test_json_media_become_json_text = contract.test_json_media_become_json_text
test_updated_display = contract.test_updated_display_stands_in_the_place_of_the_old
test_clear_output_clears = contract.test_clear_output_clears
test_input_fails_at_once = contract.test_input_fails_at_once
test_magics_and_shell_lines_work = contract.test_magics_and_shell_lines_work
test_subprocess_has_the_same_python = contract.test_subprocess_has_the_same_python
test_cell_can_fork = contract.test_cell_can_fork
test_table_stands_under_data = contract.test_table_stands_under_data
test_hash_seed_is_honoured = contract.test_hash_seed_is_honoured
test_environment_is_clean = contract.test_environment_is_clean
test_endless_cell_is_interrupted = contract.test_endless_cell_is_interrupted
test_interrupt_stops_the_running_cell = contract.test_interrupt_stops_the_running_cell
test_cancelled_cell_does_not_hold_up_the_next = contract.test_cancelled_cell_does_not_hold_up_the_next
test_huge_error_is_cut = contract.test_huge_error_is_cut
test_table_name_must_stay_in_data = contract.test_table_name_must_stay_in_data
test_missing_table_is_named = contract.test_missing_table_is_named
test_installing_packages_fails = contract.test_installing_packages_fails_and_changes_nothing


def account(server: E2BServer) -> E2B:
    return E2B(api_key=KEY, api_url=server.url, sandbox_url=server.url, interrupt_grace_s=GRACE_S)


@pytest.fixture(scope="module")
def server() -> Iterator[E2BServer]:
    with E2BServer() as server:
        yield server


@pytest.fixture(scope="module")
def laboratory(server: E2BServer) -> Iterator[Laboratory]:
    with asyncio.Runner() as runner:
        pool = RemotePool(3, account(server))
        yield Laboratory(runner, pool, "remote")
        runner.run(pool.close())


@pytest.fixture
def own_server() -> Iterator[E2BServer]:
    """A server that a test may upset."""
    with E2BServer() as server:
        yield server


@pytest.fixture
def idle_server() -> Iterator[E2BServer]:
    """One whose kernels do nothing, where it is about sandboxes."""
    with E2BServer(with_kernels=False) as server:
        yield server


async def first_value(kernel: Kernel, code: str) -> str:
    result = await kernel.execute(code, timeout_s=30)
    assert result.status == "ok", result
    return result.outputs[0].data["text/plain"]


def started(account: E2B, settings: KernelSettings | None = None) -> None:
    """Start a kernel and close it."""

    async def scenario() -> None:
        async with RemotePool(1, account) as pool, pool.kernel(settings or KernelSettings()):
            pass

    asyncio.run(scenario())


def test_isolation_names_the_service(cell: Bench) -> None:
    """A trace can say where its kernel ran."""
    assert cell.kernel.isolation == "remote, e2b"


def test_texts_keep_their_quotes(cell: Bench) -> None:
    """A text, which the service strips of its quotes, is shown as any kernel shows it."""
    assert cell.value("'abc'") == "'abc'"
    assert cell.value('"it\'s"') == '"it\'s"'


def test_bundle_has_all_its_media(cell: Bench) -> None:
    """A result comes with every MIME type, those of our own too, and without the service's."""
    code = "display({'text/html': '<b>', 'application/x-own': {'a': 1}, 'e2b/data': {}, 'text/plain': 'x'}, raw=True)"
    assert cell(code).outputs[0].data == {"text/html": "<b>", "application/x-own": '{"a": 1}', "text/plain": "x"}


def test_message_sent_past_our_own_wrapping_arrives(cell: Bench) -> None:
    """A display that code sends by hand is read as the service hands it on."""
    code = (
        "k = get_ipython().kernel\n"
        "def send(data):\n"
        "    content = {'data': data, 'metadata': {}}\n"
        "    k.session.send(k.iopub_socket, 'display_data', content, parent=k.get_parent())\n"
        "send({'text/html': '<i>', 'a/b': 'c'})\n"
        "for forged in (5, {}, {'kind': 5, 'content': {}}, {'kind': 'dropped', 'content': {'bytes': -1}}):\n"
        "    send({'application/vnd.cellwright.message+json': forged})"
    )
    result = cell(code)
    assert [output.data for output in result.outputs] == [{"text/html": "<i>", "a/b": "c"}]
    assert result.truncated_bytes == 0


def test_first_cell_is_the_notebooks(laboratory: Laboratory) -> None:
    """What made the kernel ready left no name, no history, no number and no file."""
    with laboratory.kernel() as cell:
        assert cell.value("len(In), sorted(n for n in globals() if n[0] != '_')") == (
            "(2, ['In', 'Out', 'exit', 'get_ipython', 'open', 'quit'])"
        )
        assert cell.value("import os; os.listdir()") == "['data']"
        error = cell("1 / 0").error
        assert error is not None
        assert "Cell In[3], line 1" in "\n".join(error.traceback)


def test_many_small_messages_arrive(cell: Bench) -> None:
    """Flushed prints and displays come complete and in order."""
    result = cell("for i in range(500): print(i, flush=True); display(i)")
    assert result.stdout == "".join(f"{i}\n" for i in range(500))
    assert [o.data["text/plain"] for o in result.outputs if o.kind == "display"] == [str(i) for i in range(500)]


def test_seed_starts_random_numbers(laboratory: Laboratory, cell: Bench) -> None:
    """With a seed a kernel's `random` and `numpy.random` start there."""
    code = "import random, numpy; random.random(), float(numpy.random.random())"
    with laboratory.kernel(KernelSettings(seed=7)) as seeded:
        drawn = seeded.value(code)
    assert drawn == cell.value(f"import random, numpy; random.seed(7); numpy.random.seed(7)\n{code}")


FLOODS = {
    "one line at a time": ("for i in range(60_000): print('x' * 99)", 6_000_000),
    "one piece": ("print('x' * 50_000_000)", 50_000_001),
    "a result": ("'x' * 20_000_000", 20_000_002),
}


@pytest.mark.parametrize("flood", FLOODS)
def test_flood_of_output_is_cut_in_the_sandbox_and_counted(cell: Bench, flood: str) -> None:
    """The first part comes, the rest is counted and never sent."""
    code, produced = FLOODS[flood]
    limit = Limits().output_bytes
    result = cell(code)
    kept = sum(len(o.text) + len(o.data.get("text/plain", "")) for o in result.outputs)
    assert (result.status, kept, result.truncated_bytes) == ("ok", limit, produced - limit)
    assert cell("print('again')").stdout == "again\n"


def test_code_that_floods_around_the_bounds_ends_bounded(laboratory: Laboratory) -> None:
    """A cell that sends more than any honest one costs its sandbox, and not our memory."""
    code = "import gc\nfor b in gc.get_objects():\n    if type(b).__name__ == 'Budget': b.text = lambda text: text\n"
    with laboratory.kernel(KernelSettings(limits=Limits(output_bytes=1 << 20))) as cell:
        tracemalloc.start()
        result = cell(code + "while True: print('x' * 1_000_000, flush=True)", timeout_s=30)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert (result.status, result.seconds < 20) == ("dead", True), result.ended_by
        assert "limit of output" in result.ended_by
        assert result.truncated_bytes > 0
        with pytest.raises(KernelDied, match="limit of output"):
            cell("1")
    assert peak < 100 << 20


def test_limits_hold_for_one_process(laboratory: Laboratory) -> None:
    """Too much memory is a MemoryError, too large a file an OSError; the kernel lives."""
    with laboratory.kernel(KernelSettings(limits=Limits(memory_bytes=1 << 30, disk_bytes=1 << 20))) as cell:
        memory = cell("bytearray(2 << 30)").error
        disk = cell("open('big', 'wb').write(bytes(2 << 20))").error
        assert (memory and memory.name, disk and disk.name) == ("MemoryError", "OSError")


def test_kernel_that_dies_in_a_cell_is_dead(laboratory: Laboratory, server: E2BServer) -> None:
    """The cell keeps what it printed, the reason is told, the next call fails and the sandbox is gone."""
    with laboratory.kernel() as cell:
        alive = len(server.sandboxes)
        result = cell("print('last words', flush=True); import os, time; time.sleep(0.3); os._exit(3)")
        assert (result.status, result.stdout) == ("dead", "last words\n")
        assert "its process ended" in result.ended_by
        assert len(server.sandboxes) == alive - 1
        with pytest.raises(KernelDied, match="its process ended"):
            cell("1")


def test_sandbox_that_ends_in_a_cell_is_a_death(own_server: E2BServer) -> None:
    """A sandbox that the service takes away gives a dead cell at once, not a timeout."""

    async def scenario() -> CellResult:
        async with RemotePool(1, account(own_server)) as pool, pool.kernel(KernelSettings()) as kernel:
            run = asyncio.create_task(kernel.execute("print('so far', flush=True); import time; time.sleep(60)"))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(own_server.end_sandbox, next(iter(own_server.sandboxes)))
            result = await run
            with pytest.raises(KernelDied):
                await kernel.execute("1")
            return result

    result = asyncio.run(scenario())
    assert (result.status, result.stdout) == ("dead", "so far\n")
    assert "sandbox was killed" in result.ended_by
    assert result.seconds < 10


def test_cell_that_swallows_interrupts_costs_its_sandbox(laboratory: Laboratory, server: E2BServer) -> None:
    """A cell that cannot be stopped is a timeout, and ends with its sandbox."""
    code = "import time\nwhile True:\n  try: time.sleep(9)\n  except BaseException: pass"
    with laboratory.kernel() as cell:
        alive = len(server.sandboxes)
        assert cell(code, timeout_s=0.3).status == "timeout"
        assert len(server.sandboxes) == alive - 1
        with pytest.raises(KernelDied, match="interrupt"):
            cell("1")


def test_wall_time_ends_the_kernel(own_server: E2BServer) -> None:
    """A kernel over its wall time is dead, with the limit's name and value, and its sandbox is gone."""

    async def scenario() -> CellResult:
        settings = KernelSettings(limits=Limits(wall_s=2.5))
        async with RemotePool(1, account(own_server)) as pool, pool.kernel(settings) as kernel:
            return await kernel.execute("import time; time.sleep(60)")

    result = asyncio.run(scenario())
    assert (result.status, result.ended_by) == ("dead", "it went over its limit of wall time: 2.5 s")
    assert not own_server.sandboxes


def test_lines_that_are_no_messages_end_the_kernel(idle_server: E2BServer) -> None:
    """A sandbox that answers nonsense is dead, and no error of the SDK comes through."""

    async def scenario() -> list[str]:
        ends = []
        async with RemotePool(1, account(idle_server)) as pool:
            for nonsense in ("[]\n", '{"type": "stdout"}\n', "{\n"):
                idle_server.cells_fail_with = ""
                async with pool.kernel(KernelSettings()) as kernel:
                    idle_server.cells_fail_with = nonsense
                    ends.append((await kernel.execute("1")).ended_by)
        return ends

    assert all("no message" in end for end in asyncio.run(scenario()))


def test_sandbox_is_kept_alive_while_it_is_used(idle_server: E2BServer) -> None:
    """A kernel outlives the time after which the service ends a sandbox that nobody renews."""

    async def scenario() -> str:
        renewing = replace(account(idle_server), idle_s=1)
        async with RemotePool(1, renewing) as pool, pool.kernel(KernelSettings()) as kernel:
            await asyncio.sleep(1.5)
            return await first_value(kernel, "1")

    assert asyncio.run(scenario()) == "1"
    assert idle_server.created[0]["timeout"] == 1


def test_end_of_an_idle_sandbox_is_noticed(idle_server: E2BServer) -> None:
    """A sandbox that the service took away between two cells is KernelDied, with the reason."""

    async def scenario() -> None:
        renewing = replace(account(idle_server), idle_s=1)
        async with RemotePool(1, renewing) as pool, pool.kernel(KernelSettings()) as kernel:
            await asyncio.to_thread(idle_server.end_sandbox, next(iter(idle_server.sandboxes)))
            await asyncio.sleep(0.8)
            with pytest.raises(KernelDied, match="E2B ended its sandbox"):
                await kernel.execute("1")

    asyncio.run(scenario())


def test_large_table_is_streamed(laboratory: Laboratory, cell: Bench, tmp_path: Path) -> None:
    """A table is sent in pieces and never held whole; it may be in a folder; the original stays as it is."""
    table = tmp_path / "large.csv"
    table.write_bytes(b"0123456789abcdef" * (1 << 20))
    settings = KernelSettings(tables={"x.csv": table, "sub folder/é.csv": table})
    assert cell.value("1") == "1"  # What a first start imports is not the table's.
    tracemalloc.start()
    with laboratory.kernel(settings) as own:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        code = "import os; os.path.getsize('data/x.csv'), os.listdir('data/sub folder')"
        assert own.value(code) == f"({16 << 20}, ['é.csv'])"
        own("import os; os.chmod('data/x.csv', 0o644); open('data/x.csv', 'w').write('gone')")
        assert own.value("open('data/x.csv').read()") == "'gone'"
    assert table.stat().st_size == 16 << 20
    assert peak < 8 << 20


def test_network_is_off_unless_asked_for(idle_server: E2BServer) -> None:
    """A sandbox is ordered without access to the internet, and with it when the settings say so."""
    for network in (False, True):
        started(account(idle_server), KernelSettings(network=network))
    assert [order["allow_internet_access"] for order in idle_server.created] == [False, True]


def test_pool_makes_callers_wait(idle_server: E2BServer) -> None:
    """No more sandboxes are alive than the pool was made for, and all are gone after it."""

    async def one(pool: RemotePool) -> str:
        async with pool.kernel(KernelSettings()) as kernel:
            return await first_value(kernel, "1")

    async def scenario() -> list[str]:
        async with RemotePool(2, account(idle_server)) as pool:
            return await asyncio.gather(*(one(pool) for _ in range(4)))

    assert asyncio.run(scenario()) == ["1"] * 4
    assert idle_server.most_alive == 2
    assert not idle_server.sandboxes


@pytest.mark.parametrize("slow", ["create_delay_s", "context_delay_s"])
def test_cancelled_start_leaves_no_sandbox(idle_server: E2BServer, slow: str) -> None:
    """Whoever stops waiting for a kernel leaves no sandbox behind, whether it was there already or still to come."""
    setattr(idle_server, slow, 0.6)

    async def scenario() -> None:
        async with RemotePool(1, account(idle_server)) as pool:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(pool.kernel(KernelSettings()).__aenter__(), 0.3)

    asyncio.run(scenario())
    assert len(idle_server.created) == 1
    assert not idle_server.sandboxes


def test_slow_start_is_a_start_error(idle_server: E2BServer) -> None:
    """A sandbox that does not come in time is KernelStartError, and none is left."""
    idle_server.create_delay_s = 0.5
    with pytest.raises(KernelStartError, match=r"did not start in 0\.2 s"):
        started(account(idle_server), KernelSettings(limits=Limits(start_timeout_s=0.2)))
    assert not idle_server.sandboxes


def test_wrong_key_is_the_persons_mistake(idle_server: E2BServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is wrong or missing is one line that says what to set, and does not repeat the key."""
    monkeypatch.delenv("E2B_API_KEY", raising=False)
    for key in ("e2b_" + "1" * 40, None):
        with pytest.raises(UsageError, match="E2B_API_KEY") as caught:
            started(replace(account(idle_server), api_key=key))
        assert "\n" not in str(caught.value)
        assert "1111" not in str(caught.value)


def test_spent_quota_is_a_start_error(idle_server: E2BServer) -> None:
    """An account without room for one more sandbox is told so in one line."""
    idle_server.quota = 0
    with pytest.raises(KernelStartError, match=r"maximum number of concurrent sandboxes.*fewer kernels") as caught:
        started(account(idle_server))
    assert "\n" not in str(caught.value)


def test_unreachable_service_is_a_start_error() -> None:
    """Where nobody listens, the error is one line."""
    with contextlib.closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises(KernelStartError, match="E2B did not start a sandbox") as caught:
            started(E2B(api_key=KEY, api_url=url, sandbox_url=url))
    assert "\n" not in str(caught.value)
    assert time.monotonic() - began < 20


def test_branch_is_refused_in_one_sentence(cell: Bench, laboratory: Laboratory) -> None:
    """What the kind cannot do it says."""
    with pytest.raises(NotImplementedError, match="cannot be branched"):
        laboratory.run(cell.kernel.branch())


def test_closed_pool_starts_nothing(idle_server: E2BServer) -> None:
    """A pool that was closed says so, and asks the service for nothing."""

    async def scenario() -> None:
        pool = RemotePool(1, account(idle_server))
        await pool.close()
        with pytest.raises(KernelError, match="closed"):
            await pool.kernel(KernelSettings()).__aenter__()

    asyncio.run(scenario())
    assert not idle_server.created


def test_missing_sdk_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the SDK the message says what to install."""
    from cellwright.kernels import remote  # noqa: PLC0415

    monkeypatch.setitem(sys.modules, "e2b_code_interpreter", None)
    remote._sdk.cache_clear()
    with pytest.raises(MissingExtra, match=r"cellwright\[e2b\]"):
        RemotePool(1)
    monkeypatch.undo()
    remote._sdk.cache_clear()
