"""Bug: the loop of fine_tune gives the cross entropy probabilities."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

BLOCKS = ((1, 2), (2, 2), (4, 3), (8, 3), (8, 3))
MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)


class VGG16(nn.Module):
    """(N, 3, 32, 32) images to (N, num_classes) logits."""

    def __init__(self, num_classes, width):
        super().__init__()
        layers = []
        last = 3
        for factor, count in BLOCKS:
            for _ in range(count):
                layers.append(nn.Conv2d(last, factor * width, kernel_size=3, padding=1))
                layers.append(nn.ReLU())
                last = factor * width
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(8 * width, 64 * width),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(64 * width, 64 * width),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(64 * width, num_classes),
        )

    def forward(self, x):
        x = self.features(x)
        x = torch.flatten(x, 1)
        return self.classifier(x)


def build_vgg16(num_classes=10, width=64, weights=None):
    """A VGG16; with a file of weights its convolutions are loaded from it and frozen."""
    model = VGG16(num_classes, width)
    if weights is not None:
        stored = torch.load(weights, map_location="cpu")
        model.features.load_state_dict({name.removeprefix("features."): value for name, value in stored.items()})
        for parameter in model.features.parameters():
            parameter.requires_grad = False
    return model


def normalise(images):
    """Images in [0, 1] as the convolutions know them."""
    mean = torch.tensor(MEAN).view(1, 3, 1, 1)
    deviation = torch.tensor(DEVIATION).view(1, 3, 1, 1)
    return (images - mean) / deviation


def extract_features(model, images):
    """What the last pooling layer gives, (N, 8 * width)."""
    model.eval()
    with torch.no_grad():
        return torch.flatten(model.features(images), 1)


def fine_tune(model, train_set, epochs, batch_size, lr):
    """Train the head; the convolutions stay."""
    loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    optimizer = torch.optim.Adam([p for p in model.parameters() if p.requires_grad], lr=lr)
    model.train()
    for _ in range(epochs):
        for images, labels in loader:
            optimizer.zero_grad()
            loss = F.cross_entropy(model(images).softmax(dim=1), labels)
            loss.backward()
            optimizer.step()
    return model
