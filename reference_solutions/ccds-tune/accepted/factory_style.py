# build_model() gives the tuned network; the scheduler is a class of its own
import itertools
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CFG = dict(widths=[24, 24, "M", 32, 32, "M", 24], hidden=[96, 48], num_classes=10, p=0.5)


class Head(nn.Module):
    def __init__(self, in_features, hidden, num_classes, p):
        super().__init__()
        self.p = p
        self.layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for width in hidden:
            self.layers.append(nn.Linear(in_features, width))
            self.norms.append(nn.BatchNorm1d(width))
            in_features = width
        self.out = nn.Linear(in_features, num_classes)

    def forward(self, x):
        for layer, norm in zip(self.layers, self.norms):
            x = F.dropout(norm(layer(x)).sigmoid(), self.p, training=self.training)
        return self.out(x)


class Backbone(nn.Module):
    def __init__(self, widths):
        super().__init__()
        layers, last = [], 3
        for w in widths:
            if w == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(last, w, 3, padding="same", bias=False), nn.ReLU(inplace=True)]
                last = w
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        x = self.body(x)
        return x.view(x.size(0), -1)


def build_model(num_classes=CFG["num_classes"]):
    net = nn.Sequential(Backbone(CFG["widths"]), Head(24 * 8 * 8, CFG["hidden"], num_classes, CFG["p"]))
    for name, p in net.named_parameters():
        if p.dim() >= 2:
            nn.init.xavier_uniform_(p)
        elif name.endswith("bias"):
            nn.init.constant_(p, 0.0)
    return net


class Schedule:
    """Sets the rate of every group at once and after each step()."""

    def __init__(self, optimizer, rule, total, warmup):
        self.optimizer, self.rule, self.total, self.warmup = optimizer, rule, total, warmup
        self.peaks = [group["lr"] for group in optimizer.param_groups]
        self.t = -1
        self.step()

    def step(self):
        self.t += 1
        for group, peak in zip(self.optimizer.param_groups, self.peaks):
            group["lr"] = peak * self.factor()

    def factor(self):
        if self.t < self.warmup:
            return self.t / self.warmup
        done = min(1.0, (self.t - self.warmup) / (self.total - self.warmup))
        match self.rule:
            case "linear":
                return 1.0 - done
            case "cosine":
                return 0.5 + 0.5 * math.cos(done * math.pi)
            case "inverse_sqrt":
                return math.sqrt((self.warmup or 1) / (self.t or 1))
            case "warmup":
                return 1.0
            case other:
                raise ValueError(f"no schedule is called {other}")


def build_scheduler(optimizer, scheduler_name, num_training_steps, num_warmup_steps=0):
    return Schedule(optimizer, scheduler_name, num_training_steps, num_warmup_steps)


def grid():
    return list(itertools.product([256, 512, 1024], [0.0001, 0.001]))


def best_cell(results):
    top = max(row["val_accuracy"] for row in results)
    rows = [row for row in results if row["val_accuracy"] == top]
    rows.sort(key=lambda row: row["val_loss"])
    return [rows[0]["batch_size"], rows[0]["lr"]]


def cell(batch_size, lr, **measured):
    return dict(batch_size=batch_size, lr=lr, **measured)


# epochs is a key of my own
my_results = [
    cell(256, 0.0001,
         train_accuracy=0.6874, val_accuracy=0.6713, val_loss=0.9412, test_accuracy=0.6688, epochs=20),
    cell(256, 0.001,
         train_accuracy=0.9316, val_accuracy=0.7598, val_loss=0.7743, test_accuracy=0.7561, epochs=20),
    cell(512, 0.0001,
         train_accuracy=0.6231, val_accuracy=0.6192, val_loss=1.0735, test_accuracy=0.6204, epochs=20),
    cell(512, 0.001,
         train_accuracy=0.9127, val_accuracy=0.7642, val_loss=0.8035, test_accuracy=0.7539, epochs=20),
    cell(1024, 0.0001,
         train_accuracy=0.5518, val_accuracy=0.5561, val_loss=1.2466, test_accuracy=0.5603, epochs=20),
    cell(1024, 0.001,
         train_accuracy=0.8713, val_accuracy=0.7607, val_loss=0.7216, test_accuracy=0.7612, epochs=20),
]
