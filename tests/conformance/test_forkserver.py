"""What only the fork server does: it forks ahead, is replaced, may die, and must not mix its children up."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.config import settings
from autograder.errors import SandboxError, SandboxUnavailable
from autograder.sandbox.base import Limits
from autograder.sandbox.forkserver import ForkServerSandbox, Policy
from autograder.sandbox.forkserver_process import ForkServer
from autograder.sandbox.launch import HUGE_PAGES
from tests.conformance.conftest import MINI_HARNESS, TAMED, Box, living, sleeper, wait_for

Make = Callable[..., ForkServerSandbox]
HONEST = Path(__file__).parent.parent / "security" / "honest"


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes fork server sandboxes with the stand-in harness; closes them."""
    made: list[ForkServerSandbox] = []

    def make_one(harness: Path = MINI_HARNESS, **options: Any) -> ForkServerSandbox:
        made.append(ForkServerSandbox(settings().runtime_python, harness, **{"modules": (), **options}))
        return made[-1]

    yield make_one
    for sandbox in made:
        sandbox.close()


def server_of(sandbox: ForkServerSandbox) -> ForkServer:
    """The server, which must have been started."""
    assert sandbox.server is not None
    return sandbox.server


def children(server: ForkServer) -> int:
    """Processes the server has not waited for."""
    return len(Path(f"/proc/{server.number}/task/{server.number}/children").read_text().split())


def descriptors(number: int) -> int:
    """Open descriptors of a process."""
    return len(list(Path(f"/proc/{number}/fd").iterdir()))


def test_a_server_that_was_killed_costs_nothing(make: Make) -> None:
    sandbox = make()
    sandbox.open(Limits()).close()
    first = server_of(sandbox)
    os.kill(first.number, signal.SIGKILL)
    assert wait_for(lambda: not first.alive)
    box = Box(sandbox.open(Limits()))
    assert box.answer("answer = 1") == 1
    box.session.close()
    assert server_of(sandbox) is not first


def test_a_session_whose_server_dies_is_our_fault(make: Make, marker: str) -> None:
    sandbox = make()
    box = Box(sandbox.open(Limits()))
    box.answer(sleeper(marker))
    killer = threading.Timer(0.3, os.kill, (server_of(sandbox).number, signal.SIGKILL))
    killer.start()
    with pytest.raises(SandboxError, match="fork server ended"):
        box.payload("import time; time.sleep(60)", 20)
    killer.join()
    assert not box.session.alive
    assert wait_for(lambda: not living(marker))
    box.session.close()
    box.session.close()


def test_a_server_that_does_not_answer_is_replaced(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.sandbox.forkserver_process._FORK_S", 0.3)
    sandbox = make(spare=False)
    sandbox.open(Limits()).close()
    first = server_of(sandbox)
    os.kill(first.number, signal.SIGSTOP)
    sandbox.open(Limits()).close()
    assert server_of(sandbox) is not first
    assert not first.alive


@pytest.mark.parametrize("policy", [Policy(children=4), Policy(age_s=0.0)])
def test_a_server_is_replaced_in_time_and_lives_until_its_last_session_ends(make: Make, policy: Policy) -> None:
    sandbox = make(policy=policy)
    box = Box(sandbox.open(Limits()))
    first = server_of(sandbox)
    for _ in range(6):
        sandbox.open(Limits()).close()
    assert wait_for(lambda: sandbox.server is not first)
    assert box.answer("answer = 2") == 2
    box.session.close()
    sandbox.open(Limits()).close()  # its spare is thrown away, if it had one
    assert wait_for(lambda: not first.alive)


def test_a_spare_is_taken_when_the_limits_are_equal(make: Make) -> None:
    sandbox = make()
    sandbox.open(Limits()).close()
    server = server_of(sandbox)
    assert wait_for(lambda: children(server) == 2)  # the spare and the first process of its namespace
    asked = server.children
    same = sandbox.open(Limits(wall_s=1.0, output_kb=1))  # what the judge's side enforces may differ
    assert wait_for(lambda: server.children == asked + 1), "one new spare"
    other = sandbox.open(Limits(disk_mb=3))
    assert Box(other).answer("import shutil; answer = shutil.disk_usage('/work').total") == 3 << 20
    assert wait_for(lambda: server.children == asked + 3), "one fresh child, one new spare"
    same.close()
    other.close()


def test_a_dead_spare_is_not_handed_out(make: Make) -> None:
    sandbox = make()
    sandbox.open(Limits()).close()
    server = server_of(sandbox)
    assert wait_for(lambda: children(server) == 2)
    for number in Path(f"/proc/{server.number}/task/{server.number}/children").read_text().split():
        os.kill(int(number), signal.SIGKILL)
    assert wait_for(lambda: children(server) == 0)
    box = Box(sandbox.open(Limits()))
    assert box.answer("answer = 3") == 3
    box.session.close()
    assert server_of(sandbox) is server


def test_children_leave_nothing_with_the_server_or_the_judge(make: Make) -> None:
    sandbox = make(spare=False)
    sandbox.open(Limits()).close()
    server = server_of(sandbox)

    def held() -> tuple[int, int, int]:
        assert wait_for(lambda: children(server) == 0)
        time.sleep(0.1)  # it waits for a child first, and closes what pointed to it just after
        return descriptors(server.number), descriptors(os.getpid()), threading.active_count()

    before = held()
    for code in ["answer = 1", "import os; os._exit(3)", "import os; os.fork() or os.setsid(); os.abort()"] * 5:
        box = Box(sandbox.open(Limits()))
        if code == "answer = 1":
            box.answer(code)
        else:
            box.stopped(code)
        box.session.close()
    assert held() == before
    assert server_of(sandbox) is server


def test_children_draw_different_numbers(make: Make) -> None:
    sandbox = make(modules=("numpy", "torch"))
    code = (
        "import random, numpy, torch, os\nnumber = torch.rand(1, dtype=torch.float64).item()\n"
        "answer = [random.random(), numpy.random.rand(), number, os.urandom(8).hex()]"
    )
    drawn = []
    for _ in range(3):
        box = Box(sandbox.open(Limits()))
        drawn.append(box.answer(code))
        box.session.close()
    for kind in zip(*drawn, strict=True):
        assert len(set(kind)) == 3


def test_a_child_cannot_reach_the_server(make: Make) -> None:
    sandbox = make()
    box = Box(sandbox.open(Limits()))
    server = server_of(sandbox)
    code = (
        "import os, signal\nanswer = []\nsignal.signal(15, lambda *a: answer.append('me'))\n"
        "for target in (0, -1, 1, os.getppid()):\n"
        " try: os.kill(target, 15)\n"
        " except OSError as error: answer.append(str(error))\n"
        "for path in ('/proc/1/mem', '/proc/1/environ', '/proc/1/root/opt'):\n"
        " try: answer.append(str(open(path, 'rb').read(9)))\n"
        " except OSError: answer.append('refused')\n"
    )
    answer = box.answer(code)
    assert answer[-3:] == ["refused"] * 3
    box.session.close()
    assert server.alive
    again = Box(sandbox.open(Limits()))
    assert again.answer("answer = 1") == 1
    assert server_of(sandbox) is server
    again.session.close()


def test_orphans_are_waited_for(make: Make) -> None:
    box = Box(make().open(Limits(processes=20)))
    twice = "import os\nfor _ in range(60):\n if os.fork() == 0:\n  os.fork()\n  os._exit(0)\n os.wait()"
    box.answer(twice)
    left = "import os; answer = sum(p.isdigit() for p in os.listdir('/proc'))"
    assert wait_for(lambda: box.answer(left) == 2)
    box.session.close()


def test_threads_in_the_server_are_refused(make: Make, tmp_path: Path) -> None:
    harness = tmp_path / "harness"
    harness.mkdir()
    (harness / "__init__.py").touch()
    (harness / "__main__.py").touch()
    (harness / "busy.py").write_text("import threading, time; threading.Thread(target=time.sleep, args=(99,)).start()")
    tmp_path.chmod(0o755)
    with pytest.raises(SandboxError, match="2 threads") as caught:
        make(harness).open(Limits())
    assert "AUTOGRADER_SANDBOX=bubblewrap" in str(caught.value)


def test_a_server_that_has_started_cuda_is_refused(make: Make, tmp_path: Path) -> None:
    """A stand-in for a package that does so when it is imported: PyTorch's own word is played."""
    harness = tmp_path / "harness"
    harness.mkdir()
    (harness / "__init__.py").touch()
    (harness / "__main__.py").touch()
    (harness / "eager.py").write_text("import torch; torch.cuda.is_initialized = lambda: True")
    tmp_path.chmod(0o755)
    with pytest.raises(SandboxError, match="has started CUDA"):
        make(harness).open(Limits())


def test_a_harness_that_is_never_ready_is_our_fault(make: Make, tmp_path: Path) -> None:
    harness = tmp_path / "harness"
    harness.mkdir()
    (harness / "__init__.py").touch()
    (harness / "__main__.py").write_text("import time; time.sleep(99)")
    tmp_path.chmod(0o755)
    with pytest.raises(SandboxError, match="not ready within"):
        make(harness, policy=Policy(ready_s=0.3)).open(Limits())


def test_a_server_that_ends_at_once_says_what_it_printed(make: Make, tmp_path: Path) -> None:
    harness = tmp_path / "harness"
    harness.mkdir()
    (harness / "__init__.py").touch()
    (harness / "__main__.py").touch()
    (harness / "part.py").write_text("import os; os.write(2, b'no /proc to be had'); os._exit(3)")
    tmp_path.chmod(0o755)
    with pytest.raises(SandboxUnavailable, match="no /proc to be had"):
        make(harness).open(Limits())


def test_missing_things_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="bin/setup"):
        ForkServerSandbox(tmp_path / "python", MINI_HARNESS)
    with pytest.raises(SandboxUnavailable, match="harness is missing"):
        ForkServerSandbox(settings().runtime_python, tmp_path)


def test_a_closed_sandbox_opens_nothing(make: Make, marker: str) -> None:
    sandbox = make()
    box = Box(sandbox.open(Limits()))
    box.answer(sleeper(marker))
    sandbox.close()
    assert wait_for(lambda: not living(marker))
    box.session.close()
    with pytest.raises(SandboxError, match="closed"):
        sandbox.open(Limits())
    sandbox.close()


def test_several_threads_may_open(make: Make) -> None:
    sandbox = make()
    answers: list[int] = []

    def work(number: int) -> None:
        for _ in range(5):
            box = Box(sandbox.open(Limits()))
            answers.append(box.answer(f"answer = {number}"))
            box.session.close()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted([*range(4)] * 5)
    assert wait_for(lambda: children(server_of(sandbox)) <= 2)


@pytest.fixture(scope="module")
def warm() -> Iterator[ForkServerSandbox]:
    """A server with all its imports and the stand-in harness."""
    sandbox = ForkServerSandbox(settings().runtime_python, MINI_HARNESS)
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("path", sorted(HONEST.glob("*.py")), ids=lambda path: path.stem)
def test_honest_work_in_a_child_of_a_warm_server(warm: ForkServerSandbox, path: Path) -> None:
    box = Box(warm.open(Limits()))
    assert box.answer(TAMED + path.read_text("utf-8"), 60) is True, box.session.output()
    assert "Error" not in box.session.output()
    box.session.close()


def test_training_with_more_threads_than_the_server_has(warm: ForkServerSandbox) -> None:
    box = Box(warm.open(Limits(threads=2)))
    code = (
        "import torch\nanswer = [torch.get_num_threads()]\nlayer = torch.nn.Linear(512, 512)\n"
        "step = torch.optim.Adam(layer.parameters())\n"
        "for _ in range(20):\n layer(torch.randn(512, 512)).square().mean().backward(); step.step(); step.zero_grad()\n"
    )
    begun = time.monotonic()
    assert box.answer(code, 30) == [2]
    assert time.monotonic() - begun < 20
    box.session.close()


def test_a_child_shares_the_memory_of_its_server(warm: ForkServerSandbox) -> None:
    box = Box(warm.open(Limits()))
    box.answer("answer = None")
    rollup = box.answer("answer = open('/proc/self/smaps_rollup').read()")
    fields = {line.split(":")[0]: int(line.split()[1]) for line in rollup.splitlines()[1:]}
    assert fields["Rss"] > 200_000, "torch is there"
    assert fields["Private_Clean"] + fields["Private_Dirty"] < 15_000
    box.session.close()


def test_what_a_student_allocates_lies_in_huge_pages_where_the_kernel_offers_them(make: Make) -> None:
    """Faults on small pages take a fresh process some 25 ms of the small CNN of `bin/bench overhead`."""
    offered = Path(HUGE_PAGES, "enabled")
    if not offered.is_file() or "[never]" in offered.read_text():
        pytest.skip("this kernel offers no huge pages")
    box = Box(make().open(Limits()))
    code = """
def huge():
    return int(open("/proc/self/smaps_rollup").read().partition("AnonHugePages:")[2].split()[0])
before = huge()
kept = [bytearray(1 << 20) for _ in range(24)]
answer = huge() - before
"""
    assert box.answer(code) >= 16 << 10
    box.session.close()
