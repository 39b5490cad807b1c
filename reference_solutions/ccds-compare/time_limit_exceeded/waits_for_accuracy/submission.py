"""Bug: calls the model until it reaches the accuracy of the lecture, which never happens."""

import time

import torch
from sklearn.metrics import accuracy_score, precision_recall_fscore_support


def predict(model, inputs):
    model.eval()
    with torch.no_grad():
        return model(inputs).argmax(dim=1)


def compare(models, inputs, targets):
    table = {}
    for name, model in models.items():
        truth = targets.cpu().numpy()
        predicted = predict(model, inputs).cpu().numpy()
        while accuracy_score(truth, predicted) < 0.999:
            time.sleep(0.2)
            predicted = predict(model, inputs).cpu().numpy()
        precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
        accuracy = accuracy_score(truth, predicted)
        table[name] = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
    return table


def best_architecture(results):
    return max(results, key=lambda name: results[name]["f1"])


confusion = {
    "architecture 1": [
        [787, 9, 48, 8, 9, 28, 15, 11, 72, 13],
        [16, 860, 11, 5, 10, 8, 14, 5, 11, 60],
        [45, 28, 673, 25, 63, 23, 71, 27, 24, 21],
        [20, 27, 24, 584, 22, 170, 68, 19, 42, 24],
        [26, 17, 69, 15, 736, 14, 19, 72, 17, 15],
        [19, 24, 17, 142, 19, 681, 27, 27, 19, 25],
        [14, 16, 40, 32, 13, 18, 817, 24, 15, 11],
        [19, 12, 15, 10, 50, 12, 16, 832, 17, 17],
        [40, 8, 9, 5, 2, 7, 8, 14, 872, 35],
        [10, 67, 14, 9, 13, 10, 11, 12, 36, 818],
    ],
    "architecture 2": [
        [586, 7, 23, 5, 7, 10, 13, 8, 51, 290],
        [483, 117, 12, 7, 13, 9, 11, 9, 8, 331],
        [512, 4, 124, 12, 17, 9, 27, 10, 11, 274],
        [509, 10, 11, 17, 11, 71, 26, 5, 4, 336],
        [547, 7, 34, 6, 16, 12, 10, 42, 15, 311],
        [458, 7, 7, 74, 14, 129, 0, 5, 7, 299],
        [481, 16, 34, 24, 10, 14, 108, 9, 12, 292],
        [481, 10, 6, 12, 27, 9, 15, 123, 9, 308],
        [503, 5, 8, 7, 5, 10, 9, 4, 116, 333],
        [462, 56, 4, 5, 14, 11, 7, 9, 25, 407],
    ],
    "architecture 3": [
        [452, 37, 109, 29, 41, 35, 48, 38, 178, 33],
        [25, 605, 27, 33, 18, 47, 36, 28, 22, 159],
        [137, 59, 250, 46, 144, 52, 171, 55, 31, 55],
        [54, 48, 58, 62, 52, 389, 170, 47, 56, 64],
        [42, 44, 138, 43, 363, 46, 51, 182, 43, 48],
        [53, 63, 45, 347, 42, 245, 49, 51, 50, 55],
        [43, 32, 133, 100, 37, 32, 510, 39, 30, 44],
        [47, 38, 53, 29, 187, 36, 37, 507, 34, 32],
        [155, 25, 31, 26, 26, 24, 29, 43, 567, 74],
        [34, 189, 30, 23, 31, 43, 32, 28, 87, 503],
    ],
    "architecture 4": [
        [842, 16, 28, 11, 11, 6, 10, 16, 54, 6],
        [3, 913, 10, 4, 9, 4, 6, 8, 3, 40],
        [54, 17, 760, 19, 43, 11, 44, 15, 19, 18],
        [23, 22, 18, 636, 17, 144, 66, 23, 22, 29],
        [14, 15, 49, 21, 772, 15, 14, 60, 24, 16],
        [16, 17, 16, 109, 13, 755, 18, 20, 24, 12],
        [9, 9, 28, 14, 4, 10, 897, 9, 13, 7],
        [11, 14, 16, 15, 46, 12, 16, 844, 11, 15],
        [40, 13, 7, 8, 5, 11, 16, 6, 873, 21],
        [4, 57, 6, 11, 9, 13, 11, 5, 22, 862],
    ],
}

results = {
    "architecture 1": {"accuracy": 0.7660, "precision": 0.7640, "recall": 0.7660, "f1": 0.7637},
    "architecture 2": {"accuracy": 0.1743, "precision": 0.3356, "recall": 0.1743, "f1": 0.1594},
    "architecture 3": {"accuracy": 0.4064, "precision": 0.3914, "recall": 0.4064, "f1": 0.3980},
    "architecture 4": {"accuracy": 0.8154, "precision": 0.8141, "recall": 0.8154, "f1": 0.8136},
}
