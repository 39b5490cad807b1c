"""Loads data with worker processes."""

import torch
from torch.utils.data import DataLoader, TensorDataset

data = TensorDataset(torch.randn(64, 3, 8, 8), torch.arange(64))
for _ in range(2):
    labels = torch.cat([y for _, y in DataLoader(data, batch_size=8, num_workers=2, shuffle=True)])
answer = sorted(labels.tolist()) == list(range(64))
