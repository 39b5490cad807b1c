"""Bug: takes every argument, sensible or not."""


def check(sizes, padding=0):
    return


def side(length, f, s, p=0):
    return (length - f + 2 * p) // s + 1


def conv_output_shape(w, h, d, k, f, s, p):
    check([w, h, d, k, f, s], p)
    return side(w, f, s, p), side(h, f, s, p), k


def conv_param_count(d, k, f):
    check([d, k, f])
    return f * f * d * k + k


def maxpool_output_shape(w, h, d, f, s):
    check([w, h, d, f, s])
    return side(w, f, s), side(h, f, s), d
