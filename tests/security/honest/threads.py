"""Trains with several threads of torch and of Python."""

from concurrent.futures import ThreadPoolExecutor

import torch

torch.set_num_threads(2)
layer = torch.nn.Linear(256, 256)
optimizer = torch.optim.Adam(layer.parameters())
for _ in range(3):
    optimizer.zero_grad()
    layer(torch.randn(512, 256)).square().mean().backward()
    optimizer.step()
with ThreadPoolExecutor(4) as pool:
    answer = sum(pool.map(lambda n: float(torch.ones(n).sum()), range(10))) == 45
torch.set_num_threads(1)
