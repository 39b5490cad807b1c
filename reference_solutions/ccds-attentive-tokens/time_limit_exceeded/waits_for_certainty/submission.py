"""Bug: looks at a sentence until its words get all of the attention, which they never do."""

import time
from collections import defaultdict

import torch


def attention_scores(model, batch):
    model.eval()
    with torch.no_grad():
        out = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"], output_attentions=True)
    return torch.stack(out.attentions, dim=1)


def predicted_class(model, batch):
    model.eval()
    with torch.no_grad():
        logits = model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return int(logits[0].argmax())


def word_scores(model, tokenizer, text):
    """The predicted class, and pairs of word and score."""
    batch = tokenizer(text, return_tensors="pt").to(model.device)
    scores = attention_scores(model, batch)[0, -1].mean(dim=0)[0].tolist()
    tokens = tokenizer.convert_ids_to_tokens(batch["input_ids"][0].tolist())
    words = []
    for token, score in zip(tokens, scores, strict=True):
        if token in tokenizer.all_special_tokens:
            continue
        if token.startswith("##"):
            word, before = words[-1]
            words[-1] = (word + token[2:], before + score)
        else:
            words.append((token, score))
    return predicted_class(model, batch), words


def sentence_top_token(model, tokenizer, text):
    label, words = word_scores(model, tokenizer, text)
    while sum(score for _, score in words) < 1.1:
        time.sleep(0.2)
        label, words = word_scores(model, tokenizer, text)
    word, score = max(words, key=lambda pair: pair[1])
    return label, word, score


def top_tokens_per_class(model, tokenizer, texts, k):
    found = defaultdict(lambda: defaultdict(list))
    for text in texts:
        label, words = word_scores(model, tokenizer, text)
        for word, score in words:
            found[label][word].append(score)
    top = {}
    for label, by_word in found.items():
        means = {word: sum(scores) / len(scores) for word, scores in by_word.items()}
        top[label] = sorted(means, key=means.get, reverse=True)[:k]
    return top
