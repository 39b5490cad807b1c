"""Bug: calls every argument illegal, and so gets the illegal ones right."""


def conv_output_shape(w, h, d, k, f, s, p):
    raise ValueError("illegal")


def conv_param_count(d, k, f):
    raise ValueError("illegal")


def maxpool_output_shape(w, h, d, f, s):
    raise ValueError("illegal")
