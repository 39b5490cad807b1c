# word2vec + bidirectional LSTM with masked max pooling; the lengths come in from outside
import random

import torch
from sklearn import metrics
from torch import nn
from torch.nn.utils import rnn


class EmotionBiLSTM(nn.Module):
    def __init__(self, freeze_embeddings, weights, padding_idx, num_labels, num_words, drop=0.1):
        super(EmotionBiLSTM, self).__init__()
        size = 30 if weights is None else weights.size(1)
        self.embed = nn.Embedding(num_words, size)
        if weights is not None:
            self.embed.weight.data.copy_(weights)
            self.embed.weight.requires_grad = not freeze_embeddings
        self.lstm = nn.LSTM(size, 40, bidirectional=True, batch_first=True)
        self.dropout = nn.Dropout(drop)
        self.fc = nn.Linear(80, num_labels)

    def forward(self, text, text_lengths):
        total = text.size(1)
        x = self.embed(text)
        packed = rnn.pack_padded_sequence(x, text_lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        out, _ = rnn.pad_packed_sequence(self.lstm(packed)[0], batch_first=True, total_length=total)
        positions = torch.arange(total, device=x.device)[None, :, None]
        out = out.masked_fill(positions >= text_lengths[:, None, None], float("-inf")).max(dim=1).values
        return self.fc(self.dropout(out))


def build_text_model(embeddings=None, freeze=False, *, num_classes, vocab_size, pad_idx=0):
    return EmotionBiLSTM(freeze, embeddings, pad_idx, num_classes, vocab_size)


def create_embedding_matrix(file_path, word2idx):
    known, dim = {}, None
    for n, line in enumerate(open(file_path, "r", encoding="utf-8")):
        pieces = line.strip().split(" ")
        if n == 0:
            dim = int(pieces[1])
            continue
        known[pieces[0]] = [float(p) for p in pieces[1:]]
    rows = [[random.uniform(-0.05, 0.05) for _ in range(dim)] for _ in word2idx]
    for w in word2idx:
        try:
            rows[word2idx[w]] = known[w]
        except KeyError:
            if w.lower() in known:
                rows[word2idx[w]] = known[w.lower()]
    rows[word2idx["<pad>"]] = [0.0] * dim
    return rows


def compare(predictions, targets):
    def scores(said):
        return dict(accuracy=metrics.accuracy_score(targets, said),
                    f1=metrics.f1_score(targets, said, average="macro", zero_division=0),
                    weighted_f1=metrics.f1_score(targets, said, average="weighted", zero_division=0))

    return {who: scores(said) for who, said in predictions.items()}
