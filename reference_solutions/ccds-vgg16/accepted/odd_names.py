# my own VGG: no Sequential, layers named as in the paper
import re

import torch
import torch.nn.functional as F
from torch import nn, optim
from torch.utils.data import DataLoader

DEPTHS = [2, 2, 3, 3, 3]
FACTORS = [1, 2, 4, 8, 8]


class VGGNet16(nn.Module):
    def __init__(self, out, w):
        super().__init__()
        c_in = 3
        for b in range(5):
            for i in range(DEPTHS[b]):
                setattr(self, f"conv{b + 1}_{i + 1}", nn.Conv2d(c_in, FACTORS[b] * w, 3, padding=1))
                c_in = FACTORS[b] * w
        self.fc6 = nn.Linear(8 * w, 64 * w)
        self.fc7 = nn.Linear(64 * w, 64 * w)
        self.fc8 = nn.Linear(64 * w, out)

    def backbone(self, x):
        for b in range(5):
            for i in range(DEPTHS[b]):
                x = getattr(self, f"conv{b + 1}_{i + 1}")(x).relu()
            x = F.max_pool2d(x, 2)
        return x.flatten(1)

    def forward(self, x):
        x = self.backbone(x)
        x = F.dropout(F.relu(self.fc6(x)), 0.5, self.training)
        x = F.dropout(F.relu(self.fc7(x)), 0.5, self.training)
        return self.fc8(x)


def rename(state):
    """features.7.bias -> conv2_2.bias"""
    own = [f"conv{b + 1}_{i + 1}" for b in range(5) for i in range(DEPTHS[b])]
    numbers = sorted({int(re.search(r"[.](\d+)[.]", k).group(1)) for k in state})
    names = dict(zip(numbers, own))
    return {f"{names[int(k.split('.')[1])]}.{k.split('.')[2]}": v for k, v in state.items()}


def build_vgg16(num_classes, width, weights):
    net = VGGNet16(num_classes, width)
    if weights is None:
        return net
    own = net.state_dict()
    own.update(rename(torch.load(weights, weights_only=True)))
    net.load_state_dict(own)
    for name, p in net.named_parameters():
        p.requires_grad = not name.startswith("conv")
    return net


def preprocess(x):
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return torch.stack([(x[:, c] - mean[c]) / std[c] for c in range(3)], dim=1)


def get_features(net, x):
    net.eval()
    with torch.no_grad():
        return net.backbone(x)


def train_head(model, train_set, epochs, batch_size, lr):
    head = [p for p in model.parameters() if p.requires_grad]
    opt = optim.SGD(head, lr=30 * lr, momentum=0.9)
    for _ in range(epochs):
        model.train()
        for xb, yb in DataLoader(train_set, batch_size, shuffle=True):
            loss = nn.CrossEntropyLoss()(model(xb), yb)
            opt.zero_grad()
            loss.backward()
            opt.step()
    return model
