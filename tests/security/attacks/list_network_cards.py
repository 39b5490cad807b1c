"""Lists the network cards and addresses of this machine."""

# control: anyone
import os
import socket

answer = [name for _, name in socket.if_nameindex() if name != "lo"] or [1] * (not inside)
answer += [name for name in os.listdir("/sys/class/net") if name != "lo"] if os.path.isdir("/sys/class/net") else []
