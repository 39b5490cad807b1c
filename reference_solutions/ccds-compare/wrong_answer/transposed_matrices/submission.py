"""Bug: rows are predictions."""

import torch
from sklearn.metrics import accuracy_score, precision_recall_fscore_support


def predict(model, inputs):
    model.eval()
    with torch.no_grad():
        return model(inputs).argmax(dim=1)


def compare(models, inputs, targets):
    table = {}
    for name, model in models.items():
        predicted = predict(model, inputs).cpu().numpy()
        truth = targets.cpu().numpy()
        precision, recall, f1, _ = precision_recall_fscore_support(truth, predicted, average="macro", zero_division=0)
        accuracy = accuracy_score(truth, predicted)
        table[name] = {"accuracy": accuracy, "precision": precision, "recall": recall, "f1": f1}
    return table


def best_architecture(results):
    return max(results, key=lambda name: results[name]["f1"])


confusion = {
    "architecture 1": [
        [787, 16, 45, 20, 26, 19, 14, 19, 40, 10],
        [9, 860, 28, 27, 17, 24, 16, 12, 8, 67],
        [48, 11, 673, 24, 69, 17, 40, 15, 9, 14],
        [8, 5, 25, 584, 15, 142, 32, 10, 5, 9],
        [9, 10, 63, 22, 736, 19, 13, 50, 2, 13],
        [28, 8, 23, 170, 14, 681, 18, 12, 7, 10],
        [15, 14, 71, 68, 19, 27, 817, 16, 8, 11],
        [11, 5, 27, 19, 72, 27, 24, 832, 14, 12],
        [72, 11, 24, 42, 17, 19, 15, 17, 872, 36],
        [13, 60, 21, 24, 15, 25, 11, 17, 35, 818],
    ],
    "architecture 2": [
        [586, 483, 512, 509, 547, 458, 481, 481, 503, 462],
        [7, 117, 4, 10, 7, 7, 16, 10, 5, 56],
        [23, 12, 124, 11, 34, 7, 34, 6, 8, 4],
        [5, 7, 12, 17, 6, 74, 24, 12, 7, 5],
        [7, 13, 17, 11, 16, 14, 10, 27, 5, 14],
        [10, 9, 9, 71, 12, 129, 14, 9, 10, 11],
        [13, 11, 27, 26, 10, 0, 108, 15, 9, 7],
        [8, 9, 10, 5, 42, 5, 9, 123, 4, 9],
        [51, 8, 11, 4, 15, 7, 12, 9, 116, 25],
        [290, 331, 274, 336, 311, 299, 292, 308, 333, 407],
    ],
    "architecture 3": [
        [452, 25, 137, 54, 42, 53, 43, 47, 155, 34],
        [37, 605, 59, 48, 44, 63, 32, 38, 25, 189],
        [109, 27, 250, 58, 138, 45, 133, 53, 31, 30],
        [29, 33, 46, 62, 43, 347, 100, 29, 26, 23],
        [41, 18, 144, 52, 363, 42, 37, 187, 26, 31],
        [35, 47, 52, 389, 46, 245, 32, 36, 24, 43],
        [48, 36, 171, 170, 51, 49, 510, 37, 29, 32],
        [38, 28, 55, 47, 182, 51, 39, 507, 43, 28],
        [178, 22, 31, 56, 43, 50, 30, 34, 567, 87],
        [33, 159, 55, 64, 48, 55, 44, 32, 74, 503],
    ],
    "architecture 4": [
        [842, 3, 54, 23, 14, 16, 9, 11, 40, 4],
        [16, 913, 17, 22, 15, 17, 9, 14, 13, 57],
        [28, 10, 760, 18, 49, 16, 28, 16, 7, 6],
        [11, 4, 19, 636, 21, 109, 14, 15, 8, 11],
        [11, 9, 43, 17, 772, 13, 4, 46, 5, 9],
        [6, 4, 11, 144, 15, 755, 10, 12, 11, 13],
        [10, 6, 44, 66, 14, 18, 897, 16, 16, 11],
        [16, 8, 15, 23, 60, 20, 9, 844, 6, 5],
        [54, 3, 19, 22, 24, 24, 13, 11, 873, 22],
        [6, 40, 18, 29, 16, 12, 7, 15, 21, 862],
    ],
}

results = {
    "architecture 1": {"accuracy": 0.7660, "precision": 0.7640, "recall": 0.7660, "f1": 0.7637},
    "architecture 2": {"accuracy": 0.1743, "precision": 0.3356, "recall": 0.1743, "f1": 0.1594},
    "architecture 3": {"accuracy": 0.4064, "precision": 0.3914, "recall": 0.4064, "f1": 0.3980},
    "architecture 4": {"accuracy": 0.8154, "precision": 0.8141, "recall": 0.8154, "f1": 0.8136},
}
