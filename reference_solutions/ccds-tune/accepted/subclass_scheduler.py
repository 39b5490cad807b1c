"""A scheduler that is a subclass of torch's, and functional layers."""

import math

import torch
from torch import nn
from torch.nn import functional as F


class CNNTuned(nn.Module):
    """(N, 3, 32, 32) images to (N, 10) logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.conv5 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(32 * 8 * 8, 128)
        self.bn1 = nn.BatchNorm1d(128)
        self.fc2 = nn.Linear(128, 64)
        self.bn2 = nn.BatchNorm1d(64)
        self.fc3 = nn.Linear(64, 10)
        self.dropout = nn.Dropout(0.5)
        for module in self.modules():
            if isinstance(module, (nn.Conv2d, nn.Linear)):
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.conv3(x))
        x = self.pool(F.relu(self.conv4(x)))
        x = F.relu(self.conv5(x))
        x = torch.flatten(x, 1)
        x = self.dropout(torch.sigmoid(self.bn1(self.fc1(x))))
        x = self.dropout(torch.sigmoid(self.bn2(self.fc2(x))))
        return self.fc3(x)


class Warm(torch.optim.lr_scheduler.LRScheduler):
    """One of four rules after a linear warm-up."""

    def __init__(self, optimizer, name, total_steps, warmup_steps=0):
        self.name, self.total, self.warm = name, total_steps, warmup_steps
        super().__init__(optimizer)

    def get_lr(self):
        t, w = self.last_epoch, self.warm
        if t < w:
            factor = t / w
        elif self.name == "inverse_sqrt":
            factor = 1 / math.sqrt(max(t, 1)) if w == 0 else math.sqrt(w / t)
        else:
            x = (t - w) / (self.total - w)
            factor = {"linear": 1 - x, "cosine": (1 + math.cos(math.pi * x)) / 2, "warmup": 1.0}[self.name]
        return [lr * factor for lr in self.base_lrs]


def make_scheduler(name, optimizer, total_steps, warmup_steps=0):
    """See Warm."""
    return Warm(optimizer, name, total_steps, warmup_steps)


def grid():
    """All six cells, batch size outermost."""
    return [(batch_size, lr) for batch_size in (256, 512, 1024) for lr in (1e-4, 1e-3)]


def best_cell(results):
    """Highest validation accuracy; of equal ones the least validation loss."""
    best = max(results, key=lambda row: (row["val_accuracy"], -row["val_loss"]))
    return best["batch_size"], best["lr"]


KEYS = ("batch_size", "lr", "train_accuracy", "val_accuracy", "val_loss", "test_accuracy")
# In the order in which they finished. Two have the same validation accuracy.
LOG = [
    (1024, 1e-3,
     0.89, 0.77, 0.75, 0.75),
    (1024, 1e-4,
     0.54, 0.55, 1.25, 0.55),
    (512, 1e-3,
     0.92, 0.77, 0.72, 0.76),
    (512, 1e-4,
     0.63, 0.62, 1.07, 0.63),
    (256, 1e-3,
     0.94, 0.76, 0.71, 0.77),
    (256, 1e-4,
     0.68, 0.67, 0.94, 0.67),
]
results = tuple(dict(zip(KEYS, row)) for row in LOG)
