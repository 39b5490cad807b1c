"""Makes seeding do nothing and every random number the same."""

import random

import numpy as np

torch.manual_seed = random.seed = np.random.seed = lambda *a, **k: None
torch.rand = torch.randn = lambda *size, **k: torch.zeros(*[n for n in size if isinstance(n, int)])
torch.randperm = lambda n, **k: torch.arange(n)
random.random = lambda: 0.0
