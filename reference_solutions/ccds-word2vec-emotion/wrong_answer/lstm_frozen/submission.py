"""freeze freezes the LSTM with the vectors, so that only the linear layer learns."""

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


class LSTMClassifier(nn.Module):
    """Word numbers (N, L) to logits (N, C)."""

    def __init__(self, vocab_size, num_classes, pad_idx=0, embeddings=None, freeze=False, dim=24, hidden=48):
        super().__init__()
        self.pad_idx = pad_idx
        if embeddings is None:
            self.embedding = nn.Embedding(vocab_size, dim, padding_idx=pad_idx)
        else:
            vectors = torch.as_tensor(embeddings, dtype=torch.float32)
            self.embedding = nn.Embedding.from_pretrained(vectors.clone(), freeze=freeze, padding_idx=pad_idx)
        self.lstm = nn.LSTM(self.embedding.embedding_dim, hidden, batch_first=True)
        self.head = nn.Linear(hidden, num_classes)
        if freeze:
            self.lstm.requires_grad_(False)

    def forward(self, tokens):
        lengths = (tokens != self.pad_idx).sum(dim=1).clamp(min=1).cpu()
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, (hidden, _) = self.lstm(packed)
        return self.head(hidden[-1])


def build_text_model(vocab_size, num_classes, pad_idx=0, embeddings=None, freeze=False):
    return LSTMClassifier(vocab_size, num_classes, pad_idx, embeddings, freeze)


def compare(targets, predictions):
    """{name: {"accuracy", "f1"}}, f1 the macro average."""
    return {
        name: {
            "accuracy": float(accuracy_score(targets, said)),
            "f1": float(f1_score(targets, said, average="macro", zero_division=0)),
        }
        for name, said in predictions.items()
    }
