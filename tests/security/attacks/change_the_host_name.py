"""Renames the machine (to the name it has)."""

# control: CAP_SYS_ADMIN
import socket

name = socket.gethostname().encode()
answer = syscall(170, name, len(name)) == 0
