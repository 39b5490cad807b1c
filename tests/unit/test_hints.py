"""Common errors, in the words of the library, lead to the right advice."""

import pytest

from autograder.hints import hint_for

ERRORS = [
    ("RuntimeError: mat1 and mat2 shapes cannot be multiplied (4x3136 and 1600x128)", "in_features"),
    ("RuntimeError: shape '[-1, 400]' is invalid for input of size 4096", "flatten(1)"),
    (
        "RuntimeError: Given groups=1, weight of size [32, 1, 3, 3], expected input[4, 3, 32, 32] to have 1 channels, "
        "but got 3 channels instead",
        "in_channels",
    ),
    ("RuntimeError: expected scalar type Long but found Float", "torch.long"),
    ("IndexError: Target 9 is out of bounds.", "fewer outputs"),
    ("RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn", "detach()"),
    ("TypeError: CNN.__init__() missing 1 required positional argument: 'config'", "default value"),
    ("NameError: name 'train_loader' is not defined", "not run here"),
    ("FileNotFoundError: [Errno 2] No such file or directory: '/content/drive/x.csv'", ".zip"),
    ("TypeError: f() can't be called with the parameters of the task, (x)", "Compare names and order"),
    ("AttributeError: 'CNN' object has no attribute 'fc1'", "__init__"),
    ("OSError: [Errno 12] Cannot allocate memory", "smaller layers or batches"),
]
# What a limit looks like from inside: each text was read off a session that ran into it.
DISK = [
    "OSError: [Errno 28] No space left on device",
    "OSError: [Errno 28] No space left on device: '/work/100'",
    "OSError: [Errno 27] File too large",
    "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 576 vs 534",
    "RuntimeError: write(): fd 4 failed with No space left on device",
    "OSError: 131072 requested and 127472 written",
    "SafetensorError: Error while serializing: I/O error: No space left on device (os error 28)",
    "SafetensorError: Error while serializing: I/O error: File too large (os error 27)",
    "OperationalError: database or disk is full",
]
PROCESSES = [
    "RuntimeError: can't start new thread",
    "BlockingIOError: [Errno 11] Resource temporarily unavailable",
    "RuntimeError: Resource temporarily unavailable",
]
LIMITS = [
    *((said, "limit on disk space") for said in DISK),
    *((said, "limit on processes and threads") for said in PROCESSES),
    ("OSError: [Errno 24] Too many open files: '/dev/null'", "open at once"),
    (
        "RuntimeError: unable to write to file </torch_29_1_0>: No space left on device (28)",
        "one process",
    ),
    (
        "RuntimeError: DataLoader worker (pid 9) is killed by signal: Bus error. It is possible that dataloader's "
        "workers are out of shared memory. Please try to raise your shared memory limit.",
        "one process",
    ),
]
OTHERS = [  # close to those in their words, but no limit of ours
    "ValueError: the file is too large for this model",
    "ValueError: 12 rows requested and 3 written",
    "OSError: [Errno 21] Is a directory: 'weights'",
    "PermissionError: [Errno 13] Permission denied: '/model.pt'",
    "OSError: [Errno 30] Read-only file system: '/data/28'",
    "IndexError: list index 28 out of range",
    "RuntimeError: cannot start the training: no threads given",
    "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
    "OperationalError: no such table: runs",
]


@pytest.mark.parametrize(("said", "words"), [*ERRORS, *LIMITS])
def test_the_advice_fits_the_error(said: str, words: str) -> None:
    assert words in hint_for("exception", said)


@pytest.mark.parametrize("said", OTHERS)
def test_what_is_no_limit_is_not_taken_for_one(said: str) -> None:
    assert "imit" not in hint_for("exception", said)


def test_kinds_come_before_words_and_unknown_errors_get_no_made_up_advice() -> None:
    assert "no network" in hint_for("network", "RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert "rate" in hint_for("unsupported", "unsupported: a scheduler factory must return a scheduler")
    assert (
        hint_for("unsupported", "unsupported: the model returned str") == "Return a tensor, an array or plain numbers."
    )
    assert hint_for("exception", "CustomError: nothing known") == ""
