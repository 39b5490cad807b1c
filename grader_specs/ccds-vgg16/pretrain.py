"""Run by `run_trusted`: trains the convolutions that the task hands out, and answers with them.

The network is trained with batch normalisation, which a narrow VGG of 13 convolutions needs to learn in a minute. In
eval mode a normalisation is a scale and a shift per channel, so it is folded into the convolution before it: what is
handed out is a plain VGG.
"""

import io

import torch
from torch import nn
from torch.nn.functional import cross_entropy

BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))  # width in units, convolutions


class Pretraining(nn.Module):
    """Images (N, 3, 32, 32) to logits, with batch normalisation behind every convolution."""

    def __init__(self, width, classes):
        super().__init__()
        layers, last = [], 3
        for factor, count in BLOCKS:
            for _ in range(count):
                layers += [nn.Conv2d(last, factor * width, 3, padding=1), nn.BatchNorm2d(factor * width), nn.ReLU()]
                last = factor * width
            layers.append(nn.MaxPool2d(2))
        self.body = nn.Sequential(*layers)
        self.head = nn.Linear(last, classes)

    def forward(self, images):
        return self.head(self.body(images).flatten(1))


def run(arguments, arrays):
    """The file of weights, and features (N, 8 * width) of the arrays `public` and `hidden`."""
    images, labels = torch.from_numpy(arrays["images"]), torch.from_numpy(arrays["labels"])
    net = Pretraining(arguments["width"], int(labels.max()) + 1)
    train(net, images, labels, arguments["epochs"])
    plain = folded(net.eval())
    file = io.BytesIO()
    torch.save(plain.state_dict(prefix="features."), file)
    with torch.no_grad():
        features = {name: plain(torch.from_numpy(arrays[name])).flatten(1) for name in ("public", "hidden")}
        accuracy = float((net(images).argmax(1) == labels).float().mean())
    return {"arrays": features, "files": {"weights": file.getvalue()}, "facts": {"accuracy": accuracy}}


def train(net, images, labels, epochs):
    """Adam with a learning rate that falls to zero."""
    steps = epochs * ((len(images) + 49) // 50)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=3e-3, total_steps=steps)
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(images)).split(50):
            optimiser.zero_grad()
            cross_entropy(net(images[rows]), labels[rows]).backward()
            optimiser.step()
            schedule.step()


def folded(net):
    """The convolutions with their normalisations folded in, in the order and numbering of a plain VGG."""
    layers, modules = [], list(net.body)
    for module, following in zip(modules, [*modules[1:], None], strict=True):
        if isinstance(module, nn.Conv2d):
            module = nn.utils.fuse_conv_bn_eval(module, following)
        if not isinstance(module, nn.BatchNorm2d):
            layers.append(module)
    return nn.Sequential(*layers)
