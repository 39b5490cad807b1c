"""Connects to an abstract Unix socket of this machine."""

# control: anyone
import socket

client = socket.socket(socket.AF_UNIX)
client.connect("\0" + given["abstract"])
answer = 1
