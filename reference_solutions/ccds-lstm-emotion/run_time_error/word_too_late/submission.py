"""The step behind the last word, in both models: padding, or beyond the row."""

import torch, torch.nn as nn, torch.nn.functional as F


class Net(nn.Module):
    def __init__(s, n_words, n_cls, pad=0, onehot=False, h=64):
        super().__init__()
        s.pad, s.n = pad, n_words
        s.emb = None if onehot else nn.Embedding(n_words, h)
        s.rnn = nn.LSTM(n_words if onehot else h, h, batch_first=True)
        s.out = nn.Linear(h, n_cls)

    def forward(s, x):
        e = F.one_hot(x, s.n).float() if s.emb is None else s.emb(x)
        o, _ = s.rnn(e)
        i = ((x != s.pad).sum(1)).clamp(0)
        return s.out(o[torch.arange(len(x)), i])


build_text_model = lambda vocab_size, num_classes, pad_idx=0: Net(vocab_size, num_classes, pad_idx)
build_onehot_model = lambda vocab_size, num_classes, pad_idx=0: Net(vocab_size, num_classes, pad_idx, True)
