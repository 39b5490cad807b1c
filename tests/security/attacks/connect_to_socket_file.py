"""Connects to a Unix socket in the file system, as a database or a container engine has."""

# control: anyone
import os
import socket

answer = [p for p in ("/run/docker.sock", "/var/run/docker.sock", "/run/dbus/system_bus_socket") if os.path.exists(p)]
client = socket.socket(socket.AF_UNIX)
client.connect(given["socket_file"])
answer.append(given["socket_file"])
