"""Bug: the decorator is not imported, so one function never comes to be."""


@lru_cache
def conv_output_shape(w, h, d, k, f, s, p):
    if min(w, h, d, k, f, s) < 1 or p < 0 or f > min(w, h) + 2 * p:
        raise ValueError("illegal")
    return (w - f + 2 * p) // s + 1, (h - f + 2 * p) // s + 1, k


def conv_param_count(d, k, f):
    if min(d, k, f) < 1:
        raise ValueError("illegal")
    return k * (f * f * d + 1)


def maxpool_output_shape(w, h, d, f, s):
    return conv_output_shape(w, h, d, d, f, s, 0)
