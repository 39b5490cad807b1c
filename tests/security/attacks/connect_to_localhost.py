"""Connects to a server on this machine."""

# control: anyone
import socket

answer = socket.create_connection(("127.0.0.1", given["port"]), 1).getpeername()[1]
