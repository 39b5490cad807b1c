"""Which architecture is best? Fill in the four TODOs. The handout says what is asked for."""


def compare(models, inputs, targets):
    """{name: {"accuracy", "precision", "recall", "f1"}}, macro averages, models in eval mode."""
    raise NotImplementedError("TODO 1: write compare")


def best_architecture(results):
    """The name of the row with the highest macro F1."""
    raise NotImplementedError("TODO 2: write best_architecture")


# TODO 3: your confusion matrices on the test images, as numbers; rows are true classes.
confusion = {}

# TODO 4: your table.
results = {}
