"""Bug: refuses every call, and so changes no argument and calls unequal lengths an error."""


def tokenize(text):
    raise ValueError("no")


def remove_stopwords(tokens, stopwords):
    raise ValueError("no")


def stem(word):
    raise ValueError("no")


def bag_of_words(documents):
    raise ValueError("no")


def cosine_similarity(a, b):
    raise ValueError("no")


def euclidean(a, b):
    raise ValueError("no")
