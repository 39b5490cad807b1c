import torch
import torch.nn as nn

CFG = [1, 1, "M", 2, 2, "M", 4, 4, 4, "M", 8, 8, 8, "M", 8, 8, 8, "M"]


def build_vgg16(n_classes, base=64, path=None):
    layers, c = [], 3
    for v in CFG:
        layers += [nn.MaxPool2d(2)] if v == "M" else [nn.Conv2d(c, v * base, 3, 1, "same"), nn.ReLU(True)]
        c = c if v == "M" else v * base
    fc = lambda i, o: [nn.Linear(i, o), nn.ReLU(True), nn.Dropout()]
    net = nn.Sequential(
        nn.Sequential(*layers), nn.Flatten(), *fc(8 * base, 64 * base), *fc(64 * base, 64 * base), nn.Linear(64 * base, n_classes)
    )
    if path:
        with torch.no_grad():
            for p, v in zip(net[0].parameters(), torch.load(path).values(), strict=True):
                p.copy_(v)
        net[0].requires_grad_(False)
    return net


def normalize(x):
    return (x - x.new_tensor([0.485, 0.456, 0.406])[:, None, None]) / x.new_tensor([0.229, 0.224, 0.225])[:, None, None]


@torch.inference_mode()
def extract_features(net, x):
    return net.eval()[:2](x)


def fine_tune(net, data, epochs, batch_size, lr):
    opt = torch.optim.Adam(net[2:].parameters(), lr)
    net.train()
    for _ in range(epochs):
        for x, y in torch.utils.data.DataLoader(data, batch_size, shuffle=True):
            opt.zero_grad(), nn.functional.cross_entropy(net(x), y).backward(), opt.step()
