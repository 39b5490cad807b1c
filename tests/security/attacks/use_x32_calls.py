"""Makes system calls by their x32 numbers."""

# control: none
answer = syscall(0x40000000 + 39) > 0
