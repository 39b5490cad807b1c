"""Opens sockets of rarely used kinds, whose kernel code is less looked at."""

# control: anyone
answer = []
for family in (2, 10, 16, 17, 31, 38, 40, 44):  # INET INET6 NETLINK PACKET BLUETOOTH ALG VSOCK XDP
    for kind in (1, 2, 3, 5):
        try:
            answer.append([family, kind, syscall(41, family, kind, 0)])
        except OSError:
            pass
