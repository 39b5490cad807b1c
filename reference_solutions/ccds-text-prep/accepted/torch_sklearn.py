"""Leans on scikit-learn and torch wherever they have it."""
import re

import torch
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.metrics import pairwise

TOKEN = re.compile(r"[a-z\d]+(?:['-][a-z\d]+)*", re.IGNORECASE | re.ASCII)


class LengthMismatch(ValueError):
    pass


def tokenize(text: str) -> list[str]:
    return [m.group().lower() for m in TOKEN.finditer(text)]


def remove_stopwords(tokens: list[str], stopwords: list[str]) -> list[str]:
    stop = set(map(str.lower, stopwords))
    return list(filter(lambda t: t.lower() not in stop, tokens))


def stem(word: str) -> str:
    match list(word):
        case [] | [_] | [_, _] | [_, _, _]:
            return word
        case [*_, "s", "s", "e", "s"]:
            return word[:-2]
        case [*_, "i", "e", "s"]:
            return word[:-3] + "y"
        case [*_, ("s" | "u" | "i"), "s"]:
            return word
        case [*_, "s"]:
            return word[:-1]
    head = word[:-3] if word.endswith("ing") else word[:-2] if word.endswith("ed") else ""
    if len(head) >= 3 and re.search("[aeiouy]", head):
        return head[:-1] if head[-1] == head[-2] and head[-1] in "bcdfghjkmnpqrtvwx" else head
    return word[:-2] if word.endswith("ly") and len(word) - 2 >= 3 else word


def bag_of_words(documents):
    vectorizer = CountVectorizer(analyzer=lambda document: document)
    counts = vectorizer.fit_transform(documents)
    return vectorizer.get_feature_names_out().tolist(), torch.tensor(counts.toarray())


def cosine_similarity(a, b):
    if len(a) != len(b):
        raise LengthMismatch(f"{len(a)} != {len(b)}")
    return pairwise.cosine_similarity([list(a)], [list(b)])[0, 0]


def euclidean(a, b):
    if len(a) != len(b):
        raise LengthMismatch(f"{len(a)} != {len(b)}")
    a, b = torch.tensor(a, dtype=torch.float64), torch.tensor(b, dtype=torch.float64)
    return torch.dist(a, b)
