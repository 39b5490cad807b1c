"""Emotions with word2vec: fill in the three TODOs. The handout says what is asked for."""

import torch
from torch import nn


def embedding_matrix(vocab, path):
    """Vectors (len(vocab), d) of the words in vocab (word → number), from a file in word2vec's text format."""
    raise NotImplementedError("TODO 1: read the file, and put each word's vector into its row")


def build_text_model(vocab_size, num_classes, pad_idx=0, embeddings=None, freeze=False):
    """A model with an nn.Embedding and an nn.LSTM: word numbers (N, L) to logits (N, num_classes)."""
    raise NotImplementedError("TODO 2: write a model that starts from `embeddings` where they are given, and return it")


def compare(targets, predictions):
    """{name: {"accuracy": …, "f1": …}} of the predicted classes {name: (N,)}; f1 is the macro average."""
    raise NotImplementedError("TODO 3: measure each model")


if __name__ == "__main__":
    # A quick try on two sentences. The grader does not run this part.
    vocab = {"rain": 2, "<pad>": 0, "Good": 4, "snow": 3, "<unk>": 1}
    matrix = torch.as_tensor(embedding_matrix(vocab, "vectors/tiny.txt"), dtype=torch.float32)
    model = build_text_model(5, 6, embeddings=matrix, freeze=True).eval()
    short = torch.tensor([[2, 4, 3], [3, 2, 0]])
    print(matrix)
    print(torch.allclose(model(short), model(nn.functional.pad(short, (0, 4))), atol=1e-4))
