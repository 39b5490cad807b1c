"""Makes system calls by their x32 numbers."""

# control: none: most kernels are built without them
answer = syscall(0x40000000 + 39) > 0
