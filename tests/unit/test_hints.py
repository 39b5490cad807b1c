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
]


@pytest.mark.parametrize(("said", "words"), ERRORS)
def test_the_advice_fits_the_error(said: str, words: str) -> None:
    assert words in hint_for("exception", said)


def test_kinds_come_before_words_and_unknown_errors_get_no_made_up_advice() -> None:
    assert "no network" in hint_for("network", "RuntimeError: mat1 and mat2 shapes cannot be multiplied")
    assert "rate" in hint_for("unsupported", "unsupported: a scheduler factory must return a scheduler")
    assert (
        hint_for("unsupported", "unsupported: the model returned str") == "Return a tensor, an array or plain numbers."
    )
    assert hint_for("exception", "CustomError: nothing known") == ""
