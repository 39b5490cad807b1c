"""The pure work of one submission, without grading: load the file, forward, gradients, calls, train, evaluate.

Run with the runtime's Python: `python workload.py SUBMISSION.py DATA.npz CALLS.json EPOCHS BATCH LR`. CALLS.json lists
[names of which the submission has one, arguments, keywords]. Does the work once for each line of its input and prints a
line of JSON each time: wall and CPU seconds, and CPU seconds of the training alone (the rest is what the checks ask
for). The first time is what a cold script pays; later ones are the work. After the line `fork` a fresh fork of this
process does it, in the memory of a process that has just begun, as every submission does; what the kernel spends on
making the fork and taking it apart then counts too.
"""

import gc
import json
import os
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import TensorDataset

Call = tuple[list[str], list[object], dict[str, object]]

torch.set_num_threads(1)


def once(
    source: str, arrays: dict[str, np.ndarray], calls: list[Call], epochs: int, batch_size: int, lr: float
) -> float:
    """Do what the probes of the spec ask for, once; returns the CPU seconds of the training itself."""
    space: dict[str, object] = {"__name__": "submission"}
    exec(compile(source, "submission.py", "exec"), space)
    torch.manual_seed(0)
    build, train = space["CNN"], space["train"]
    public = torch.from_numpy(arrays["public_images"])
    targets = torch.from_numpy(arrays["public_labels"])
    model = build()  # type: ignore[operator]
    model.eval()
    with torch.no_grad():
        for rows in (public, public, *public.split(1)):  # twice whole, then each alone
            model(rows)
    model = build()  # type: ignore[operator]
    nn.functional.cross_entropy(model(public), targets).backward()
    for names, arguments, keywords in calls:
        function = next(space[name] for name in names if name in space)
        function(*arguments, **keywords)  # type: ignore[operator]
    model = build()  # type: ignore[operator]
    evaluate(model, arrays)
    train_set = TensorDataset(torch.from_numpy(arrays["train_images"]), torch.from_numpy(arrays["train_labels"]))
    started = time.process_time()
    train(model, train_set, None, epochs=epochs, batch_size=batch_size, lr=lr)  # type: ignore[operator]
    trained = time.process_time() - started
    for _ in range(epochs):  # the judge measures after every epoch
        evaluate(model, arrays)
    return trained


def evaluate(model: nn.Module, arrays: dict[str, np.ndarray]) -> None:
    """Run the model on what the judge measures."""
    model.eval()
    with torch.no_grad():
        for name in ("sample_images", "val_images", "test_images"):
            if name in arrays:
                for rows in torch.from_numpy(arrays[name]).split(256):
                    model(rows)
    model.train()


def main() -> None:
    """Read the arguments, then do the work when told, and print the seconds."""
    path, data, listed, epochs, batch_size, lr = sys.argv[1:]
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - the fewest imports
        source = file.read()
    with open(listed, encoding="utf-8") as file:  # noqa: PTH123
        calls = json.load(file)
    arrays = dict(np.load(data))
    for line in sys.stdin:
        do = forked if line.strip() == "fork" else timed
        seconds = do(lambda: once(source, arrays, calls, int(epochs), int(batch_size), float(lr)))
        print(json.dumps(seconds), flush=True)


def timed(work: Callable[[], float]) -> dict[str, float]:
    """Do it here."""
    start, started = time.perf_counter(), time.process_time()
    training = work()
    return {"wall": time.perf_counter() - start, "cpu": time.process_time() - started, "training": training}


def forked(work: Callable[[], float]) -> dict[str, float]:
    """Do it in a fork."""
    gc.freeze()
    start, started = time.perf_counter(), time.process_time()
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit("the fork failed")
    cpu = time.process_time() - started + used.ru_utime + used.ru_stime
    return {"wall": time.perf_counter() - start, "cpu": cpu}


main()
