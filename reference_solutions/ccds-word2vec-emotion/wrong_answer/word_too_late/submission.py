import numpy as np, torch, torch.nn as nn
from sklearn.metrics import classification_report


def embedding_matrix(stoi, fname):
    rows = [l.split() for l in open(fname, encoding="utf8")]
    w2v = {r[0]: list(map(float, r[1:])) for r in rows[1:]}
    E = np.zeros((len(stoi), int(rows[0][1])))
    for w, i in stoi.items():
        if w in w2v or w.lower() in w2v: E[i] = w2v[w] if w in w2v else w2v[w.lower()]
    return E.astype("float32")


class Net(nn.Module):
    def __init__(s, n_words, n_cls, pad=0, E=None, freeze=False, h=48):
        super().__init__()
        s.pad = pad
        s.emb = nn.Embedding(n_words, 24, pad) if E is None else nn.Embedding.from_pretrained(torch.tensor(E), freeze)
        s.rnn = nn.LSTM(s.emb.weight.shape[1], h, batch_first=True)
        s.out = nn.Linear(h, n_cls)

    def forward(s, x):
        o, _ = s.rnn(s.emb(x))
        i = (x != s.pad).sum(1).clamp(0, x.shape[1] - 1)
        return s.out(o[torch.arange(len(x)), i])


build_text_model = lambda vocab_size, num_classes, pad_idx=0, embeddings=None, freeze=False: Net(
    vocab_size, num_classes, pad_idx, embeddings, freeze
)


def compare(y, preds):
    out = {}
    for k, p in preds.items():
        r = classification_report(y, p, output_dict=True, zero_division=0)
        out[k] = {"accuracy": r["accuracy"], "f1": r["macro avg"]["f1-score"]}
    return out
