"""Bug: prints the answers and returns nothing."""


def conv_output_shape(w, h, d, k, f, s, p):
    print("output:", (w - f + 2 * p) // s + 1, "x", (h - f + 2 * p) // s + 1, "x", k)


def conv_param_count(d, k, f):
    print("parameters:", f * f * d * k + k)


def maxpool_output_shape(w, h, d, f, s):
    print("output:", (w - f) // s + 1, "x", (h - f) // s + 1, "x", d)
