import numpy as np, re
from collections import Counter

tokenize = lambda text: re.sub(r"(?<![a-z0-9])['-]|['-](?![a-z0-9])|[^a-z0-9'-]", " ", text.lower()).split()
remove_stopwords = lambda tokens, stopwords: [t for t in tokens if t.upper() not in [w.upper() for w in stopwords]]

def stem(word):
    v = "[aeiouy]"
    for p, r in ((r"^.{1,3}$", None), ("sses$", "ss"), ("ies$", "y"), ("(ss|us|is)$", None), ("s$", ""),
                 (f"^(?=.*{v}.*(ing|ed)$)(?P<a>.{{3,}}?)(ing|ed)$", r"\g<a>"), ("(?<=...)ly$", "")):
        if re.search(p, word):
            w = word if r is None else re.sub(p, r, word)
            return re.sub(r"([^aeiouylsz])\1$", r"\1", w) if "ing" in p else w
    return word

def bag_of_words(documents):
    c = [Counter(d) for d in documents]; v = sorted(set().union(*c))
    return v, np.array([[x[w] for w in v] for x in c])

def cosine_similarity(a, b):
    if len(a) != len(b): raise ValueError
    a, b = np.asarray(a, float), np.asarray(b, float); n = (a @ a * (b @ b))**.5
    return a @ b / n if n else 0.

def euclidean(a, b):
    if len(a) != len(b): raise ValueError
    return np.linalg.norm(np.subtract(a, b))
