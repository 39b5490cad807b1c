"""Bug: depth first, as in torch."""


def check(sizes, padding=0):
    if min(sizes) < 1 or padding < 0:
        raise ValueError("sizes, filters and strides must be at least 1, the padding at least 0")


def side(length, f, s, p=0):
    if f > length + 2 * p:
        raise ValueError(f"a window of {f} does not fit into {length} with padding {p}")
    return (length - f + 2 * p) // s + 1


def conv_output_shape(w, h, d, k, f, s, p):
    check([w, h, d, k, f, s], p)
    return k, side(w, f, s, p), side(h, f, s, p)


def conv_param_count(d, k, f):
    check([d, k, f])
    return f * f * d * k + k


def maxpool_output_shape(w, h, d, f, s):
    check([w, h, d, f, s])
    return d, side(w, f, s), side(h, f, s)
