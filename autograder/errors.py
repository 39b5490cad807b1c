"""All exceptions of the library, in one tree.

AutograderError
├── UsageError                 the caller can fix it; the message says how
│   ├── UploadRefused          an upload that can't be taken (intake)
│   ├── SpecError              a grader spec that can't be used (file, line, what to do)
│   ├── NotFound               no such thing, or not for this person (the two look the same)
│   ├── Forbidden              known person, not allowed
│   ├── NotAuthenticated       no or wrong credentials
│   └── PolicyRefused          attempt limit, deadline, cooldown
├── SandboxError               our side of the sandbox failed: a grader_error, never a zero
│   └── SandboxUnavailable     this machine can't run the sandbox; says what to do
├── SandboxStopped             the student's process ended or broke a limit (carries a verdict)
├── ProtocolError              a frame that breaks the wire format
├── BlobMissing                a stored file is gone or damaged: a grader_error, never a zero
└── LeaseLost                  another worker owns the job now; drop the work
"""

from __future__ import annotations

from autograder.model import Verdict


class AutograderError(Exception):
    """Root of all our exceptions."""


class UsageError(AutograderError):
    """Something the caller can put right. `code` is stable and machine-readable; `hint` says what to do."""

    code = "usage"

    def __init__(self, message: str, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code:
            self.code = code


class UploadRefused(UsageError):
    """An upload that can't be taken. `submission_id` names the record of it, once there is one."""

    code = "upload_refused"
    submission_id: str | None = None


class SpecError(UsageError):
    """A grader spec that can't be used."""

    code = "spec_error"


class NotFound(UsageError):
    """No such thing, or not for this person: the answer is the same, so that nothing can be probed for."""

    code = "not_found"


class Forbidden(UsageError):
    """A known person who may not do this."""

    code = "forbidden"


class NotAuthenticated(UsageError):
    """No credentials, or wrong ones."""

    code = "not_authenticated"


class PolicyRefused(UsageError):
    """The assignment's policy says no. `submission_id` names the record of the upload, if it was kept."""

    code = "policy_refused"
    submission_id: str | None = None


class SandboxError(AutograderError):
    """Our side of the sandbox failed."""


class SandboxUnavailable(SandboxError):
    """This machine can't run the sandbox."""


class SandboxStopped(AutograderError):
    """The student's process is gone: it broke a limit, crashed, or spoke nonsense. The session is dead."""

    def __init__(self, verdict: Verdict, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.verdict = verdict
        self.message = message
        self.hint = hint


class ProtocolError(AutograderError):
    """A frame that breaks the wire format."""


class BlobMissing(AutograderError):
    """A file the database names is not in the blob directory, or is not what it was."""


class LeaseLost(AutograderError):
    """Another worker owns the job now."""
