"""Check results and remarks as JSON trees and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from autograder.model import CheckResult, GradeReport, Remark, Trust, Verdict, Visibility
from autograder.storage.types import clean_json


def check_to_json(check: CheckResult) -> dict[str, Any]:
    """Every field of a check result, as plain JSON."""
    return {f.name: clean_json(getattr(check, f.name)) for f in fields(check)}


def check_from_json(tree: dict[str, Any]) -> CheckResult:
    """The check result a tree was made from."""
    enums = {
        "visibility": Visibility(tree["visibility"]),
        "verdict": Verdict(tree["verdict"]),
        "trust": Trust(tree["trust"]),
    }
    return CheckResult(**{**tree, **enums})


def report_to_detail(report: GradeReport) -> dict[str, Any]:
    """What of a report is only ever read whole. Figures are blobs and not part of it."""
    return {
        "checks": [check_to_json(check) for check in report.checks],
        "remarks": [{"code": r.code, "message": r.message, "where": r.where} for r in report.remarks],
        "output": report.output,
        "receipt": dict(report.receipt),
        "seconds": dict(report.seconds),
    }


def remarks_from_detail(detail: dict[str, Any]) -> tuple[Remark, ...]:
    """The remarks of a stored report."""
    return tuple(Remark(**remark) for remark in detail["remarks"])
