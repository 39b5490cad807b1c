"""All in one class, with the names and the order of torch.nn.Conv2d, results as numpy integers."""
import numpy as np


class ShapeCalculator:
    """Keeps nothing; the methods are handed in below."""

    @staticmethod
    def _validate(**numbers):
        for name, number in numbers.items():
            smallest = 0 if name == 'padding' else 1
            if number < smallest:
                raise ValueError('%s must be >= %d, not %r' % (name, smallest, number))

    @classmethod
    def _spatial(cls, extent, kernel_size, stride, padding):
        room = extent + 2 * padding - kernel_size
        if room < 0:
            raise ValueError('kernel larger than padded input')
        return np.int64(np.floor(room / stride)) + 1

    @classmethod
    def conv(cls, *, out_channels, kernel_size, stride, padding, in_channels, height, width):
        cls._validate(out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding,
                      in_channels=in_channels, height=height, width=width)
        return (cls._spatial(width, kernel_size, stride, padding),
                cls._spatial(height, kernel_size, stride, padding), out_channels)


def conv_output_shape(out_channels, kernel_size, stride, padding, in_channels, height, width):
    return ShapeCalculator.conv(out_channels=out_channels, kernel_size=kernel_size, stride=stride, padding=padding,
                                in_channels=in_channels, height=height, width=width)


def conv_param_count(out_channels, in_channels, kernel_size, bias=True):
    ShapeCalculator._validate(a=out_channels, b=in_channels, c=kernel_size)
    weights = np.prod([out_channels, in_channels, kernel_size, kernel_size])
    return weights + (out_channels if bias else 0)


def maxpool_output_shape(kernel_size, stride, channels, height, width):
    W, H, _ = conv_output_shape(out_channels=1, kernel_size=kernel_size, stride=stride, padding=0, in_channels=1,
                                height=height, width=width)
    if channels <= 0:
        raise ValueError('no channels')
    return np.array([W, H, channels])
