"""Loops over sentences and words, torch.nn.LSTMCell, an identity matrix that stays frozen, log-probabilities."""

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence


class TextModel(nn.Module):
    """Looks each sentence up by itself; a cell goes through the words of all."""

    def __init__(self, vocab_size, num_classes, pad_idx):
        super().__init__()
        self.pad_idx = pad_idx
        self.embedding = nn.Embedding(vocab_size, 48)
        self.cell = nn.LSTMCell(48, 64)
        self.head = nn.Linear(64, num_classes)

    def forward(self, tokens):
        sentences = [self.embedding(sentence[sentence != self.pad_idx]) for sentence in tokens]
        lengths = torch.tensor([len(sentence) for sentence in sentences])
        state, states = None, []
        for vectors in pad_sequence(sentences):
            state = self.cell(vectors, state)
            states.append(state[0])
        last = torch.stack(states, dim=1)[torch.arange(len(tokens)), lengths - 1]
        return torch.log_softmax(self.head(last), dim=1)


class OneHotModel(nn.Module):
    """Runs the LSTM once for each sentence, cut to its words."""

    def __init__(self, vocab_size, num_classes, pad_idx):
        super().__init__()
        self.pad_idx = pad_idx
        self.identity = nn.Parameter(torch.eye(vocab_size), requires_grad=False)
        self.lstm = nn.LSTM(vocab_size, 64)
        self.head = nn.Linear(64, num_classes)

    def forward(self, tokens):
        scores = []
        for sentence in tokens:
            words = sentence[sentence != self.pad_idx]
            _, (hidden, _) = self.lstm(self.identity[words])
            scores.append(self.head(hidden[-1]))
        return torch.log_softmax(torch.stack(scores), dim=1)


def build_text_model(vocab_size, num_classes, pad_idx=0):
    return TextModel(vocab_size, num_classes, pad_idx)


def build_onehot_model(vocab_size, num_classes, pad_idx=0):
    return OneHotModel(vocab_size, num_classes, pad_idx)
