"""From sentences to vectors: fill in the six TODOs. The handout says what is asked for."""


def tokenize(text):
    """The words of a text in lower case, in order."""
    raise NotImplementedError("TODO 1: write tokenize")


def remove_stopwords(tokens, stopwords):
    """The tokens that are no stop words, whatever their case."""
    raise NotImplementedError("TODO 2: write remove_stopwords")


def stem(word):
    """The word without its ending, by the seven rules of the handout."""
    raise NotImplementedError("TODO 3: write stem")


def bag_of_words(documents):
    """(vocabulary in alphabetical order, counts with a row for each document)."""
    raise NotImplementedError("TODO 4: write bag_of_words")


def cosine_similarity(a, b):
    """Cosine of the angle between two vectors; 0.0 if one of them is zero."""
    raise NotImplementedError("TODO 5: write cosine_similarity")


def euclidean(a, b):
    """Distance between two vectors."""
    raise NotImplementedError("TODO 6: write euclidean")


if __name__ == "__main__":
    # A quick try. The grader does not run this part.
    texts = ["Text mining is to identify useful information.", "Useful information is mined from text."]
    documents = [tokenize(text) for text in texts]
    vocabulary, counts = bag_of_words(documents)
    print(vocabulary)
    print(cosine_similarity(counts[0], counts[1]), euclidean(counts[0], counts[1]))
    print(remove_stopwords(documents[0], ["is", "to"]))
    print([stem(word) for word in documents[0]])
