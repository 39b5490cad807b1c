# Assignment 1 - small VGG for CIFAR-10 (batch norm, dropout, log-probabilities, one epoch per call)
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
CFG = [32, 32, "M", 64, 64, "M"]
NUM_CLASSES = 10


def make_layers(cfg, in_channels=3):
    layers = []
    for v in cfg:
        if v == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.Conv2d(in_channels, v, kernel_size=3, padding=1), nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
            in_channels = v
    return nn.Sequential(*layers)


class MiniVGG(nn.Module):
    def __init__(self, cfg, num_classes=10, dropout=0.3):
        super(MiniVGG, self).__init__()
        self.features = make_layers(cfg)
        self.classifier = nn.Sequential(
            nn.Linear(64 * 8 * 8, 256), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(256, 128), nn.ReLU(inplace=True), nn.Dropout(dropout),
            nn.Linear(128, num_classes),
        )
        for m in self.modules():
            if isinstance(m, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(m.weight, nonlinearity="relu")
                nn.init.zeros_(m.bias)

    def forward(self, x):
        x = self.features(x)
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.classifier(x), dim=1)


def build_model():
    return MiniVGG(CFG, NUM_CLASSES).to(device)


def train_one_epoch(model, loader, optimizer, device):
    model.train()
    running = 0.0
    for data, target in loader:
        data, target = data.to(device), target.to(device)
        optimizer.zero_grad()
        output = model(data)
        loss = F.nll_loss(output, target)
        loss.backward()
        optimizer.step()
        running += loss.item()
    return running / len(loader)


def compute_metrics(y_pred, y_true):
    cm = np.zeros((NUM_CLASSES, NUM_CLASSES), dtype=int)
    for t, p in zip(y_true, y_pred):
        cm[t, p] += 1
    precisions, recalls, f1s = [], [], []
    for c in range(NUM_CLASSES):
        tp = cm[c, c]
        fp = cm[:, c].sum() - tp
        fn = cm[c, :].sum() - tp
        p = tp / (tp + fp) if tp + fp > 0 else 0.0
        r = tp / (tp + fn) if tp + fn > 0 else 0.0
        precisions.append(p)
        recalls.append(r)
        f1s.append(2 * p * r / (p + r) if p + r > 0 else 0.0)
    return {
        "accuracy": np.trace(cm) / cm.sum(),
        "precision": np.mean(precisions),
        "recall": np.mean(recalls),
        "f1": np.mean(f1s),
        "confusion": cm,
    }


if __name__ == "__main__":
    from torchvision import datasets, transforms

    tf = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.5,) * 3)])
    train_loader = torch.utils.data.DataLoader(datasets.CIFAR10("./data", download=True, transform=tf), 64, shuffle=True)
    model = build_model()
    opt = torch.optim.Adam(model.parameters(), lr=1e-3)
    for epoch in range(1, 16):
        print(epoch, train_one_epoch(model, train_loader, opt, device))
    torch.save(model.state_dict(), "mini_vgg.pt")
