"""Waits for others to connect."""

# control: anyone
import socket

answer = socket.create_server(("127.0.0.1", 0)).getsockname()[1]
