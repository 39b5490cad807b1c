# one builder for all architectures of the task; build_model() gives architecture 2
import torch
import torch.nn as nn

CFG = dict(widths=[16, 16, "M", 24, 24, "M"], hidden=[96, 48], num_classes=10)


class Head(nn.Module):
    def __init__(self, in_features, hidden, num_classes):
        super().__init__()
        self.layers = nn.ModuleList()
        self.norms = nn.ModuleList()
        for width in hidden:
            self.layers.append(nn.Linear(in_features, width))
            self.norms.append(nn.Identity())
            in_features = width
        self.out = nn.Linear(in_features, num_classes)

    def forward(self, x):
        for layer, norm in zip(self.layers, self.norms):
            x = norm(layer(x)).sigmoid()
        return self.out(x)


class Backbone(nn.Module):
    def __init__(self, widths):
        super().__init__()
        layers, last = [], 3
        for w in widths:
            if w == "M":
                layers.append(nn.MaxPool2d(2))
            else:
                layers += [nn.Conv2d(last, w, 3, padding="same"), nn.ReLU(inplace=True)]
                last = w
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        x = self.body(x)
        return x.view(x.size(0), -1)


def build_model(num_classes=CFG["num_classes"]):
    return nn.Sequential(Backbone(CFG["widths"]), Head(24 * 8 * 8, CFG["hidden"], num_classes))


REASON = "vanishing gradient"
