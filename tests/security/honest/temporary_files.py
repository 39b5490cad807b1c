"""Writes, saves and loads files."""

import tempfile
from pathlib import Path

import torch

with tempfile.TemporaryDirectory() as folder:
    torch.save({"w": torch.ones(3)}, Path(folder) / "model.pt")
    answer = bool(torch.load(Path(folder) / "model.pt")["w"].sum() == 3)
