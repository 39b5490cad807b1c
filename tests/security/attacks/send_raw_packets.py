"""Sends packets it made itself."""

# control: CAP_NET_RAW
import socket

answer = 0
for family, kind, protocol in ((17, 3, 0x300), (2, 3, 1), (2, 3, 255), (10, 3, 58)):
    try:
        answer += socket.socket(family, kind, protocol).fileno()
    except OSError:
        pass
