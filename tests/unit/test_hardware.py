"""The names of processor and card on a receipt, as kernel and driver write them."""

from __future__ import annotations

import platform
from pathlib import Path

from autograder.sandbox.hardware import card, processor

# /proc/driver/nvidia/gpus/<bus>/information as the driver 535 writes it
_CARD = "Model: \t\t {model}\nIRQ:   \t\t 0\nBus Type: \t PCIe\nDevice Minor: \t {minor}\n"


def test_the_processor_is_named_or_else_its_architecture(tmp_path: Path) -> None:
    named = tmp_path / "named"
    named.write_text("processor\t: 0\nmodel\t\t: 1\nmodel name\t: AMD EPYC 7B13\n\nprocessor\t: 1\n")
    assert processor(named) == "AMD EPYC 7B13"
    assert processor(tmp_path / "missing") == platform.machine()
    assert processor()


def test_the_card_is_that_of_the_device_shown(tmp_path: Path) -> None:
    for bus, model, minor in (("0000:01:00.0", "NVIDIA A100", 1), ("0000:02:00.0", "NVIDIA H200", 0)):
        (tmp_path / bus).mkdir()
        (tmp_path / bus / "information").write_text(_CARD.format(model=model, minor=minor))
    assert card(0, tmp_path) == "NVIDIA H200"
    assert card(2, tmp_path) == "unknown"
