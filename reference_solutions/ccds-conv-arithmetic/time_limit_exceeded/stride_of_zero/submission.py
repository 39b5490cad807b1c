"""Bug: counts the places in a loop that a stride of 0 never leaves."""


def places(length, f, s):
    count, left = 0, 0
    while left + f <= length:
        count += 1
        left += s
    return count


def conv_output_shape(w, h, d, k, f, s, p):
    if min(w, h, d, k, f) < 1 or p < 0 or f > min(w, h) + 2 * p:
        raise ValueError("illegal")
    return places(w + 2 * p, f, s), places(h + 2 * p, f, s), k


def conv_param_count(d, k, f):
    if min(d, k, f) < 1:
        raise ValueError("illegal")
    return k * (f * f * d + 1)


def maxpool_output_shape(w, h, d, f, s):
    return conv_output_shape(w, h, d, d, f, s, 0)
