"""Attention rollout, row of [CLS], largest piece, mean over occurrences."""

from functools import reduce

import torch


@torch.no_grad()
def attention_scores(model, batch):
    return torch.stack(model.eval()(**batch, output_attentions=True).attentions, 1)


def look(model, tokenizer, text):
    enc = tokenizer(text, return_tensors="pt").to(model.device)
    mixed = (attention_scores(model, enc)[0].mean(1) + torch.eye(enc.input_ids.shape[1], device=model.device)) / 2
    row = reduce(lambda done, layer: layer @ done, mixed)[0].tolist()
    words, scores = tokenizer.tokenize(text), row[1:-1]
    starts = [i for i, w in enumerate(words) if w[:2] != "##"] + [len(words)]
    spans = list(zip(starts, starts[1:]))
    with torch.no_grad():
        label = model(**enc).logits.argmax().item()
    return label, ["".join(words[a:b]).replace("##", "") for a, b in spans], [max(scores[a:b]) for a, b in spans]


def sentence_top_token(model, tokenizer, text):
    label, words, scores = look(model, tokenizer, text)
    return label, words[scores.index(max(scores))], max(scores)


def top_tokens_per_class(model, tokenizer, texts, k):
    seen = {c: {} for c in range(model.config.num_labels)}
    for label, words, scores in (look(model, tokenizer, t) for t in texts):
        for w, s in zip(words, scores):
            seen[label].setdefault(w, []).append(s)
    return {c: sorted(d, key=lambda w: -sum(d[w]) / len(d[w]))[:k] for c, d in seen.items()}
