"""Fine-tuning a VGG16: fill in what is marked TODO. The handout says what is asked for."""

import torch


def build_vgg16(num_classes, width=64, weights=None):
    """Images (N, 3, 32, 32) to logits (N, num_classes); with a file of weights the convolutions are frozen."""
    # TODO 1: the table of layers, then load and freeze the convolutions if weights is given.
    raise NotImplementedError("TODO 1: write build_vgg16")


def normalise(images):
    """Images (N, 3, H, W) with values from 0 to 1, as a network trained on ImageNet expects them."""
    raise NotImplementedError("TODO 2: write normalise")


def extract_features(model, images):
    """What stands behind the last pooling, flattened: (N, 8 * width)."""
    raise NotImplementedError("TODO 3: write extract_features")


def fine_tune(model, train_set, epochs, batch_size, lr):
    """Train the head on a set of pairs (image, label); the convolutions stay."""
    raise NotImplementedError("TODO 4: write fine_tune")


if __name__ == "__main__":
    # A quick try on noise. The grader does not run this part.
    model = build_vgg16(num_classes=10, width=8)
    print(model(torch.randn(2, 3, 32, 32)).shape)
