"""Bug: the training loop gives CrossEntropyLoss probabilities."""

from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader


class CNN(nn.Module):
    """(N, 3, 32, 32) images to (N, 10) logits."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(16, 16, kernel_size=3, padding=1)
        self.conv3 = nn.Conv2d(16, 32, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(32, 32, kernel_size=3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(32 * 8 * 8, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        x = self.pool(F.relu(self.conv2(x)))
        x = F.relu(self.conv3(x))
        x = self.pool(F.relu(self.conv4(x)))
        x = torch.flatten(x, 1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.fc3(x)


def mean_loss(model, loader, criterion):
    """Mean loss over a loader in eval mode."""
    model.eval()
    total, count = 0.0, 0
    with torch.no_grad():
        for images, labels in loader:
            total += criterion(model(images), labels).item() * len(labels)
            count += len(labels)
    return total / max(count, 1)


def train(model, train_set, val_set=None, epochs=6, batch_size=32, lr=1e-3):
    """Train in place; returns the losses of every epoch."""
    loader = DataLoader(train_set, batch_size=batch_size, shuffle=True)
    val_loader = DataLoader(val_set, batch_size=256) if val_set is not None else None
    criterion = nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    history = {"train": [], "val": []}
    for _ in range(epochs):
        model.train()
        total = 0.0
        for images, labels in loader:
            optimizer.zero_grad()
            loss = criterion(F.softmax(model(images), dim=1), labels)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(labels)
        history["train"].append(total / len(train_set))
        if val_loader is not None:
            history["val"].append(mean_loss(model, val_loader, criterion))
    return history


def classification_metrics(targets, predictions):
    """Accuracy, macro averages and the confusion matrix of class numbers (N,)."""
    precision, recall, f1, _ = precision_recall_fscore_support(targets, predictions, average="macro", zero_division=0)
    return {
        "accuracy": accuracy_score(targets, predictions),
        "precision": precision,
        "recall": recall,
        "f1": f1,
        "confusion": confusion_matrix(targets, predictions),
    }
