"""The sandbox fixtures of the conformance suite, for attacks."""

from tests.conformance.conftest import box, open_box, sandbox

__all__ = ["box", "open_box", "sandbox"]
