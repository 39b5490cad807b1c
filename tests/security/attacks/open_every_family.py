"""Opens a socket of every family the kernel could know, in every kind."""

# control: anyone
answer = []
for family in (n for n in range(50) if n != 1):
    for kind in range(1, 7):
        try:
            answer.append([family, kind, syscall(41, family, kind, 0)])
        except OSError:
            pass
