"""What student code can see and touch: its own files, nothing of ours, no network."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from autograder.sandbox.base import Limits
from autograder.sandbox.launch import HUGE_PAGES
from tests.conformance.conftest import EVERY, MINI_HARNESS, SMALL, Box, gap

OpenBox = Callable[..., Box]
ALLOWED_NAMES = {
    *("HOME", "USER", "LOGNAME", "PATH", "LANG", "TMPDIR", "MPLBACKEND", "MPLCONFIGDIR", "LC_CTYPE"),
    *("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "TOKENIZERS_PARALLELISM", "CUDA_VISIBLE_DEVICES"),
    *("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED", "PYTHONHASHSEED", "LD_LIBRARY_PATH"),
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
}


@pytest.mark.parametrize("name", EVERY)
def test_the_environment_is_an_allow_list(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SECRET_X", "planted-secret")
    sandbox = EVERY[name](MINI_HARNESS)
    box = Box(sandbox.open(Limits(**SMALL)))
    environment = box.answer("import os; answer = dict(os.environ)")
    box.session.close()
    sandbox.close()
    assert set(environment) <= ALLOWED_NAMES
    assert "planted-secret" not in str(environment)


@gap("processes")
@pytest.mark.parametrize("name", EVERY)
def test_no_other_environment_can_be_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOGRADER_SECRET_X", "planted-secret")
    sandbox = EVERY[name](MINI_HARNESS)
    box = Box(sandbox.open(Limits(**SMALL)))
    everything = (
        "import glob; answer = []\n"
        "for path in glob.glob('/proc/*/environ') + glob.glob('/proc/*/cmdline'):\n"
        "    try: answer.append(open(path).read())\n"
        "    except OSError: pass\n"
    )
    processes = box.answer(everything)
    box.session.close()
    sandbox.close()
    assert processes
    assert "planted-secret" not in str(processes)
    assert "AUTOGRADER" not in str(processes)


@pytest.mark.parametrize("name", EVERY)
def test_sets_of_words_have_the_same_order_in_every_process(name: str) -> None:
    orders = []
    for _ in range(2):
        sandbox = EVERY[name](MINI_HARNESS)
        box = Box(sandbox.open(Limits(**SMALL)))
        orders.append(box.answer("answer = list({'anger', 'fear', 'joy', 'love', 'sadness', 'surprise', 'a', 'b'})"))
        box.session.close()
        sandbox.close()
    assert orders[0] == orders[1]


@gap("identity")
def test_it_is_nobody(box: Box) -> None:
    lines = box.answer("answer = open('/proc/self/status').read()").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    assert status["Uid"].split() == ["1000"] * 4
    names = box.answer("import getpass, socket; answer = [getpass.getuser(), socket.gethostname()]")
    assert names == ["student", "sandbox"]


def test_only_three_descriptors_and_the_channel_are_open(box: Box) -> None:
    assert box.answer("import os; answer = sorted(int(n) for n in os.listdir('/proc/self/fd'))[:4]") == [0, 1, 2, 3]
    # The listing itself is the fifth.
    assert box.answer("import os; answer = len(os.listdir('/proc/self/fd'))") == 5
    assert box.answer("import os; answer = os.readlink('/proc/self/fd/0')") == "/dev/null"


@gap("network")
@pytest.mark.alone
@pytest.mark.parametrize("family", ["AF_INET", "AF_INET6", "AF_NETLINK", "AF_PACKET", "AF_ALG", "AF_VSOCK"])
def test_there_is_no_network(box: Box, family: str) -> None:
    begun = time.monotonic()
    kind = "SOCK_RAW" if family in ("AF_NETLINK", "AF_PACKET") else "SOCK_STREAM"
    payload = box.payload(f"import socket; socket.socket(socket.{family}, socket.{kind})")
    assert payload["error"]["type"] == "PermissionError"
    assert time.monotonic() - begun < 1


@gap("network")
@pytest.mark.alone
def test_looking_up_a_name_fails_at_once(box: Box) -> None:
    begun = time.monotonic()
    assert box.payload("import urllib.request as u; u.urlopen('http://example.org')")["error"]["type"] == "URLError"
    assert time.monotonic() - begun < 2


READ_ONLY = (
    *("/x", "/usr/x", "/etc/passwd", "/etc/x", "/dev/x", "/opt/x", "/opt/autograder/harness/__main__.py", "/proc/x"),
    *(
        "/opt/runtime/venv/lib/x",
        "/opt/runtime/base/lib/x",
        "/opt/runtime/venv/pyvenv.cfg",
        "/proc/sys/kernel/hostname",
    ),
)


@gap("files")
@pytest.mark.parametrize("path", READ_ONLY)
def test_the_system_is_read_only(box: Box, path: str) -> None:
    error = box.payload("open(request['given']['path'], 'a')", path=path)["error"]
    assert error["type"] in ("OSError", "PermissionError", "FileNotFoundError")


@gap("paths")
@pytest.mark.parametrize("folder", ["/work", "/tmp", "/dev/shm", "."])
def test_its_own_folders_are_writable(box: Box, folder: str) -> None:
    code = (
        "import os; p = request['given']['folder'] + '/x'; open(p, 'w').write('y'); os.rename(p, p + 'y')\n"
        "answer = os.getcwd()"
    )
    assert box.answer(code, folder=folder) == "/work"


@gap("files")
def test_nothing_of_this_machine_is_there(box: Box) -> None:
    def listing(folder: str) -> set[str]:
        return set(box.answer("import os; answer = os.listdir(request['given']['folder'])", folder=folder))

    system = {"bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr"}
    assert listing("/") <= system | {"data", "dev", "etc", "opt", "proc", "sys", "tmp", "work"}
    known = {"group", "hosts", "nsswitch.conf", "passwd"}
    assert listing("/etc") <= known | {"alternatives", "ld.so.cache", "localtime"}
    assert listing("/opt") == {"autograder", "runtime"}
    assert listing("/dev") <= set("null zero full random urandom stdin stdout stderr fd shm".split())  # noqa: SIM905
    code = "import os; answer = [os.path.join(at, name) for at, _, names in os.walk('/sys') for name in names]"
    assert set(box.answer(code)) <= {f"{HUGE_PAGES}/enabled", f"{HUGE_PAGES}/hpage_pmd_size"}


def test_a_python_it_starts_has_the_runtime_packages(box: Box) -> None:
    code = (
        "import subprocess\n"
        "import numpy; command = ['python', '-c', 'import numpy; print(numpy.__file__)']\n"
        "answer = [subprocess.check_output(command, text=True).strip(), numpy.__file__]"
    )
    theirs, own = box.answer(code)
    assert theirs == own


@gap("paths")
def test_the_runtime_lies_where_it_always_does(box: Box) -> None:
    assert box.answer("import numpy; answer = numpy.__file__").startswith("/opt/runtime/venv/lib/")
