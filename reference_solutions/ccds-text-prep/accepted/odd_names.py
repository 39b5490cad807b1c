"""A class does the work; the functions only hand it on, with names and order of their own."""
import numpy as np


class TextPreprocessor:
    ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789'

    def __init__(self, stop_words=None):
        self.stop_words = [w.casefold() for w in stop_words or []]
        self.vocabulary_ = {}

    def split(self, text):
        tokens, current = [], ''
        text = text.lower() + ' '
        for position, char in enumerate(text):
            if char in self.ALPHABET:
                current += char
            elif char in "'-" and current and text[position + 1:position + 2] in list(self.ALPHABET):
                current += char
            else:
                if current:
                    tokens.append(current)
                current = ''
        return tokens

    def filter(self, tokens):
        kept = []
        for token in tokens:
            if token.casefold() in self.stop_words:
                continue
            kept.append(token)
        return kept

    def fit_transform(self, corpus):
        for doc in corpus:
            for token in doc:
                self.vocabulary_.setdefault(token, None)
        names = sorted(self.vocabulary_)
        self.vocabulary_ = {name: column for column, name in enumerate(names)}
        X = np.zeros((len(corpus), len(names)))
        for row, doc in enumerate(corpus):
            for token in doc:
                X[row, self.vocabulary_[token]] += 1
        return names, X


class SuffixStemmer:
    def _has_vowel(self, part):
        return len(set(part) & set('aeiouy')) > 0

    def __call__(self, w):
        if len(w) < 4: return w
        if w[-4:] == 'sses': return w[:-2]
        if w[-3:] == 'ies': return w[:-3] + 'y'
        if w[-1] == 's':
            return w if w[-2] in 'sui' else w[:-1]
        for n in (3, 2):
            if w[-n:] in ('ing', 'ed') and len(w) - n >= 3 and self._has_vowel(w[:-n]):
                w = w[:-n]
                double = w[-1] == w[-2]
                return w[:-1] if double and w[-1] not in 'aeiouylsz' else w
        if w[-2:] == 'ly' and len(w) > 4: return w[:-2]
        return w


def tokenize(sentence):
    return TextPreprocessor().split(sentence)


def remove_stopwords(stop_words, words):
    return TextPreprocessor(stop_words).filter(words)


stem = SuffixStemmer()


def bag_of_words(corpus):
    return TextPreprocessor().fit_transform(corpus)


def cosine_similarity(vec1, vec2):
    if np.shape(vec1) != np.shape(vec2):
        raise ValueError('shapes differ')
    u, v = np.array(vec1, dtype=float), np.array(vec2, dtype=float)
    if not u.any() or not v.any():
        return 0
    u /= np.linalg.norm(u)
    v /= np.linalg.norm(v)
    return float(np.dot(u, v))


def euclidean(vec1, vec2):
    if np.shape(vec1) != np.shape(vec2):
        raise ValueError('shapes differ')
    return np.sqrt(np.sum((np.array(vec1) - np.array(vec2)) ** 2))
