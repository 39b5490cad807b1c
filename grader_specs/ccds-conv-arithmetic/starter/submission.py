"""The arithmetic of convolutions: fill in the three TODOs. The handout says what is asked for."""


def conv_output_shape(w, h, d, k, f, s, p):
    """(width, height, depth) of a convolution's output. Raises ValueError if it can't be built."""
    raise NotImplementedError("TODO 1: write conv_output_shape")


def conv_param_count(d, k, f):
    """Number of weights and biases of a convolution. Raises ValueError if it can't be built."""
    raise NotImplementedError("TODO 2: write conv_param_count")


def maxpool_output_shape(w, h, d, f, s):
    """(width, height, depth) of a max pooling's output. Raises ValueError if it can't be built."""
    raise NotImplementedError("TODO 3: write maxpool_output_shape")


if __name__ == "__main__":
    # A quick try. The grader does not run this part.
    print(conv_output_shape(32, 32, 3, 6, 5, 1, 0), "should be (28, 28, 6)")
    print(conv_param_count(3, 6, 5), "should be 456")
    print(maxpool_output_shape(32, 32, 64, 2, 2), "should be (16, 16, 64)")
