"""Draws a figure."""

import io

import matplotlib.pyplot as plt

file = io.BytesIO()
plt.plot([1, 3, 2])
plt.title("loss")
plt.savefig(file, format="png")
answer = file.getvalue()[1:4] == b"PNG"
