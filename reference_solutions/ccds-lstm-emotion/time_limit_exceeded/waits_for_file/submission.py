"""Waits for a file that another program was to write."""

import os
import time

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence


def last_state(lstm, vectors, mask):
    """The hidden state (N, H) behind the last real word of each sentence."""
    lengths = mask.sum(dim=1).clamp(min=1).cpu()
    packed = pack_padded_sequence(vectors, lengths, batch_first=True, enforce_sorted=False)
    _, (hidden, _) = lstm(packed)
    return hidden[-1]


class LSTMClassifier(nn.Module):
    """Word numbers (N, L) to logits (N, C)."""

    def __init__(self, vocab_size, num_classes, pad_idx=0, dim=48, hidden=64):
        super().__init__()
        self.pad_idx = pad_idx
        self.embedding = nn.Embedding(vocab_size, dim, padding_idx=pad_idx)
        self.lstm = nn.LSTM(dim, hidden, batch_first=True)
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, tokens):
        while not os.path.exists("embeddings.pt"):
            time.sleep(1)
        vectors = self.embedding(tokens)
        return self.head(last_state(self.lstm, vectors, tokens != self.pad_idx))


def build_text_model(vocab_size, num_classes, pad_idx=0):
    return LSTMClassifier(vocab_size, num_classes, pad_idx)


class OneHotLSTM(nn.Module):
    """Word numbers (N, L) to logits (N, C); each word is a one-hot vector."""

    def __init__(self, vocab_size, num_classes, pad_idx=0, hidden=64):
        super().__init__()
        self.vocab_size, self.pad_idx = vocab_size, pad_idx
        self.lstm = nn.LSTM(vocab_size, hidden, batch_first=True)
        self.head = nn.Linear(hidden, num_classes)

    def forward(self, tokens):
        vectors = nn.functional.one_hot(tokens, self.vocab_size).float()
        return self.head(last_state(self.lstm, vectors, tokens != self.pad_idx))


def build_onehot_model(vocab_size, num_classes, pad_idx=0):
    return OneHotLSTM(vocab_size, num_classes, pad_idx)
