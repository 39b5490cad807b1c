"""Shares a tensor with another process."""

import torch
import torch.multiprocessing as mp


def fill(tensor):
    tensor += 1


shared = torch.zeros(1000).share_memory_()
child = mp.get_context("fork").Process(target=fill, args=(shared,))
child.start()
child.join()
answer = float(shared.sum()) == 1000
