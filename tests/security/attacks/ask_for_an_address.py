"""Looks names up, each of which could carry data to whoever answers."""

# control: none: it needs a name server, and tests ask nobody outside this machine
import socket
import subprocess

answer = []
for name in ("secret-data.example.org", "localhost.example.com"):
    try:
        answer += socket.getaddrinfo(name, 80)
    except OSError:
        pass
answer += subprocess.run(["getent", "hosts", "example.org"], capture_output=True, check=False).stdout
