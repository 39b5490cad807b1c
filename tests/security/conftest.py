"""The sandbox fixtures of the conformance suite, for attacks, and gradings of hostile submissions."""

from tests.conformance.conftest import box, open_box, sandbox
from tests.security.grading import grade, grade_slowly

__all__ = ["box", "grade", "grade_slowly", "open_box", "sandbox"]
