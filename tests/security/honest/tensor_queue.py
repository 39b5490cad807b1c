"""Gets tensors back from worker processes through a queue and a pool."""

import torch
import torch.multiprocessing as mp


def work(queue):
    queue.put(torch.arange(1000.0))


context = mp.get_context("fork")
queue = context.Queue()
child = context.Process(target=work, args=(queue,))
child.start()
total = float(queue.get(timeout=20).sum())
child.join()
with context.Pool(2) as pool:
    signs = pool.map(torch.neg, [torch.ones(10), torch.ones(20)])
answer = total == 499500 and [float(s.sum()) for s in signs] == [-10, -20]
