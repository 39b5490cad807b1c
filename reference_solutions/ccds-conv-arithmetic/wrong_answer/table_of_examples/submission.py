"""Bug: knows the worked examples by heart and nothing else."""

KNOWN = {
    (1, 1, 1, 1, 1, 1, 0): (1, 1, 1), (2, 2, 1, 1, 3, 1, 1): (2, 2, 1),
    (4, 4, 1, 1, 2, 2, 0): (2, 2, 1), (5, 5, 1, 1, 2, 2, 0): (2, 2, 1),
    (6, 6, 3, 2, 3, 2, 1): (3, 3, 2), (7, 7, 3, 2, 3, 2, 1): (4, 4, 2), (5, 9, 2, 4, 3, 1, 0): (3, 7, 4),
    (32, 32, 3, 6, 5, 1, 0): (28, 28, 6), (64, 48, 3, 16, 7, 3, 2): (21, 16, 16),
    (224, 224, 3, 64, 3, 1, 1): (224, 224, 64),
    (1, 1, 1): 2, (2, 1, 1): 3, (1, 3, 1): 6, (1, 1, 2): 5, (3, 6, 5): 456, (64, 64, 3): 36928,
    (2, 2, 1, 2, 2): (1, 1, 1), (5, 5, 1, 2, 2): (2, 2, 1), (6, 4, 3, 3, 1): (4, 2, 3), (7, 7, 3, 3, 2): (3, 3, 3),
    (32, 32, 64, 2, 2): (16, 16, 64), (55, 40, 96, 3, 2): (27, 19, 96),
}


def answer(*key):
    if key not in KNOWN:
        raise ValueError("unknown")
    return KNOWN[key]


def conv_output_shape(w, h, d, k, f, s, p):
    return answer(w, h, d, k, f, s, p)


def conv_param_count(d, k, f):
    return answer(d, k, f)


def maxpool_output_shape(w, h, d, f, s):
    return answer(w, h, d, f, s)
