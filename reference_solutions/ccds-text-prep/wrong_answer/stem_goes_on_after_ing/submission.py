"""Bug: after rule 6 it goes on to rule 7."""

import math
import re

VOWELS = "aeiouy"


def tokenize(text):
    return re.findall(r"[a-z0-9]+(?:[-'][a-z0-9]+)*", text.lower())


def remove_stopwords(tokens, stopwords):
    unwanted = {word.lower() for word in stopwords}
    return [token for token in tokens if token.lower() not in unwanted]


def stem(word):
    if len(word) <= 3:
        return word
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("s"):
        return word[:-1]
    for ending in ("ing", "ed"):
        short = word.removesuffix(ending)
        if short != word and len(short) >= 3 and any(letter in VOWELS for letter in short):
            if short[-1] == short[-2] and short[-1] not in VOWELS + "lsz":
                short = short[:-1]
            word = short
    if word.endswith("ly") and len(word) >= 5:
        return word[:-2]
    return word


def bag_of_words(documents):
    vocabulary = sorted({token for document in documents for token in document})
    counts = [[document.count(word) for word in vocabulary] for document in documents]
    return vocabulary, counts


def same_length(a, b):
    if len(a) != len(b):
        raise ValueError(f"vectors of {len(a)} and {len(b)} numbers can't be compared")


def norm(a):
    return math.sqrt(sum(x * x for x in a))


def cosine_similarity(a, b):
    same_length(a, b)
    lengths = norm(a) * norm(b)
    if lengths == 0:
        return 0.0
    return sum(x * y for x, y in zip(a, b)) / lengths


def euclidean(a, b):
    same_length(a, b)
    return math.sqrt(sum((x - y) ** 2 for x, y in zip(a, b)))
