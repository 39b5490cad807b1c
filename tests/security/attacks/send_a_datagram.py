"""Sends a datagram, for which no connection is needed."""

# control: anyone
import socket

answer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"points", ("127.0.0.1", given["port"]))
