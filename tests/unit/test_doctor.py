"""The doctor's findings on this machine, and on one that lacks things."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from autograder.cli import doctor
from autograder.config import settings
from autograder.sandbox import NAMES, TRUST, WEAK, cgroups
from autograder.sandbox.plain import GAPS

NO_TRIAL = {"runtime_python": Path("/no/python")}  # saves the start of a sandbox


def findings_of(**changed: object) -> dict[str, doctor.Finding]:
    """The findings by subject, under changed settings."""
    return {finding.subject: finding for finding in doctor.doctor(settings().model_copy(update=changed))}


@pytest.fixture(scope="module")
def here() -> dict[str, doctor.Finding]:
    """The findings on this machine."""
    return findings_of()


@pytest.mark.parametrize("name", NAMES)
def test_this_machine_can_grade(name: str, here: dict[str, doctor.Finding]) -> None:
    findings = here if name == settings().sandbox else findings_of(sandbox=name)
    assert findings["trial"].state is doctor.State.OK
    assert findings["trial"].found.startswith(f"{name}: ")
    assert "torch" in findings["trial"].found
    assert not [finding for finding in findings.values() if finding.state is doctor.State.MISSING]
    assert "weak sandbox" not in findings


def test_what_is_missing_comes_with_advice() -> None:
    missing = {name: found for name, found in findings_of(**NO_TRIAL).items() if found.state is doctor.State.MISSING}
    assert set(missing) == {"runtime", "trial"}
    assert all(finding.advice for finding in missing.values())


def test_everything_the_sandbox_rests_on_is_named(here: dict[str, doctor.Finding]) -> None:
    wanted = (
        "machine",
        "nested in",
        "bubblewrap",
        "user namespaces",
        "system call filter",
        "Landlock",
        "control groups",
    )
    assert set(wanted) <= set(here)
    assert here["user namespaces"].found.startswith("made one")
    assert "level " in here["Landlock"].found
    assert "version" in here["control groups"].found
    assert all(finding.advice for finding in here.values() if finding.state is not doctor.State.OK)


@pytest.mark.parametrize(
    ("level", "has", "lacks"), [(0, "level 0", "TCP"), (3, "3: files; not TCP", "files, TCP,"), (6, "sockets", "not")]
)
def test_the_level_of_landlock_says_what_it_fences(
    monkeypatch: pytest.MonkeyPatch, level: int, has: str, lacks: str
) -> None:
    monkeypatch.setattr(doctor, "_landlock_level", lambda: level)
    finding = doctor._landlock()
    assert has in finding.found
    assert lacks not in finding.found.replace("not built in, not active", "")
    assert (finding.state is doctor.State.NOTE) == (level == 0)


def test_namespaces_that_are_refused_when_tried_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """As under a container engine's filter, where every switch of the kernel looks right."""
    monkeypatch.setattr(doctor, "_TRY_NAMESPACE", "import errno, os; print(os.strerror(errno.EPERM))")
    finding = doctor._user_namespaces()
    assert (finding.state, "not permitted" in finding.found) == (doctor.State.MISSING, True)
    assert "Weak sandbox" in finding.advice
    assert "seccomp=docker/seccomp-worker.json" in finding.advice


def test_a_covered_proc_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel refuses a new /proc where a part of the old one can't be seen; measured in a container."""
    mounts = "proc /proc proc rw 0 0\ntmpfs /proc/acpi tmpfs ro 0 0\nproc /proc/sys proc ro 0 0"
    monkeypatch.setattr(doctor, "_read", lambda path: mounts if path == "/proc/self/mounts" else "")
    finding = doctor._proc()
    assert (finding.state, "/proc/acpi, /proc/sys" in finding.found) == (doctor.State.MISSING, True)
    assert "systempaths=unconfined" in finding.advice


@pytest.mark.parametrize(
    ("path", "text", "says"),
    [
        ("/proc/1/cgroup", "0::/system.slice/docker-9f.scope", "by its control group"),
        ("/proc/1/mountinfo", "22 1 0:20 / / rw,relatime - overlay overlay rw,lowerdir=/x", "by its root file system"),
        ("/proc/self/uid_map", "         0     100000      65536", "a user namespace that somebody else made"),
        ("/proc/1/cgroup", "0::/init.scope", "no container"),
    ],
)
def test_a_container_is_noticed(monkeypatch: pytest.MonkeyPatch, path: str, text: str, says: str) -> None:
    monkeypatch.setattr(doctor, "_read", lambda asked: text if asked == path else "")
    monkeypatch.setattr(doctor, "_ENGINES", {})
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert says in doctor._container().found


def test_control_groups_name_the_version_and_what_keeps_sessions_from_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_delegated(_setting: str) -> tuple[None, str]:
        return None, "/sys/fs/cgroup/x is not writable for this user"

    monkeypatch.setattr(cgroups, "find", not_delegated)
    mounts = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate"
    monkeypatch.setattr(doctor, "_read", lambda path: mounts if path == "/proc/self/mountinfo" else "")
    finding = doctor._memory_control(settings())
    assert finding.found.startswith("version 2; none for sessions: /sys/fs/cgroup/x is not writable")
    assert "Delegate=yes" in finding.advice


@pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has a driver")
def test_a_lane_that_needs_a_card_is_looked_at(here: dict[str, doctor.Finding]) -> None:
    assert "graphics card" not in here
    for written in ("cpu,gpu", "cpu, gpu"):
        finding = findings_of(lanes=written, **NO_TRIAL)["graphics card"]
        assert (finding.state, "AUTOGRADER_LANES" in finding.advice) == (doctor.State.MISSING, True)


def test_a_lane_that_no_worker_knows_is_named() -> None:
    finding = findings_of(lanes="cpu,gpus", **NO_TRIAL)["lanes"]
    assert (finding.state, "use cpu or gpu" in finding.found) == (doctor.State.MISSING, True)


def test_the_weak_sandbox_is_named_with_each_of_its_gaps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_TRY_NAMESPACE", "print('no')")
    refused = findings_of(sandbox=WEAK)
    assert {name: refused[f"gap: {name}"].found for name in GAPS} == GAPS
    assert "isolates nothing" in refused["trial"].found
    assert TRUST in refused["trial"].found
    assert refused["user namespaces"].state is doctor.State.NOTE, "it needs none"


def test_the_command_prints_and_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTOGRADER_RUNTIME_PYTHON", str(tmp_path / "python"))
    settings.cache_clear()
    with pytest.raises(typer.Exit) as ended:
        doctor.doctor_command()
    settings.cache_clear()
    assert ended.value.exit_code == 1
    assert "bin/setup" in capsys.readouterr().out
