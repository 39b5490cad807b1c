"""The doctor's findings on this machine, and on one that lacks things."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from autograder.cli import doctor
from autograder.config import settings


def test_this_machine_can_grade() -> None:
    findings = {finding.subject: finding for finding in doctor.doctor()}
    assert findings["trial"].state is doctor.State.OK
    assert "torch" in findings["trial"].found
    assert not [finding for finding in findings.values() if finding.state is doctor.State.MISSING]


def test_what_is_missing_comes_with_advice(tmp_path: Path) -> None:
    findings = doctor.doctor(settings().model_copy(update={"runtime_python": tmp_path / "python"}))
    missing = {finding.subject: finding for finding in findings if finding.state is doctor.State.MISSING}
    assert set(missing) == {"runtime", "trial"}
    assert all(finding.advice for finding in missing.values())


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
