"""Vectors and comparison, but no model."""

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


def read_vectors(path):
    """Word → vector float32 (d,), and d, of a file in word2vec's text format."""
    vectors = {}
    with open(path, encoding="utf-8") as file:
        width = int(file.readline().split()[1])
        for line in file:
            word, *numbers = line.rstrip().split(" ")
            vectors[word] = np.array(numbers, dtype=np.float32)
    return vectors, width


def embedding_matrix(vocab, path):
    """Row vocab[word] is the word's vector; padding and words that the file lacks have zeros."""
    vectors, width = read_vectors(path)
    matrix = np.zeros((len(vocab), width), dtype=np.float32)
    for word, number in vocab.items():
        found = vectors.get(word, vectors.get(word.lower()))
        if found is not None:
            matrix[number] = found
    return torch.from_numpy(matrix)


def compare(targets, predictions):
    """{name: {"accuracy", "f1"}}, f1 the macro average."""
    return {
        name: {
            "accuracy": float(accuracy_score(targets, said)),
            "f1": float(f1_score(targets, said, average="macro", zero_division=0)),
        }
        for name, said in predictions.items()
    }
