"""Reports more epochs than anybody asked for."""

import gc


def train(model, train_set, epochs, lr):
    connection = next(thing for thing in gc.get_objects() if type(thing).__name__ == "Connection")
    number = int(sys._getframe(0).f_back is not None)
    for depth in range(1, 30):
        try:
            values = sys._getframe(depth).f_locals
        except ValueError:
            break
        if "message" in values and isinstance(values["message"], dict):
            number = values["message"]["id"]
    for k in range(3000):
        connection.send({"type": "event", "id": number, "event": "epoch", "epoch": k, "outputs": {}})
# verdict: output_limit
