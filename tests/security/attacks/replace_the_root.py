"""Makes another folder the root, the ways that newer kernels have."""

# control: namespace
answer = 0
for number, arguments in (
    (155, (b".", b".")),  # pivot_root
    (429, (-100, b"/", -100, b"/tmp", 0)),  # move_mount
    (428, (-100, b"/", 1)),  # open_tree, with a clone
    (430, (b"tmpfs", 0)),  # fsopen
    (442, (-100, b"/", 0, None, 0)),  # mount_setattr
):
    try:
        answer += syscall(number, *arguments) >= 0
    except OSError:
        pass
