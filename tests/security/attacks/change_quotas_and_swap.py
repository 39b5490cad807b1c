"""Changes swap space, quotas, accounting and the clock's pace."""

# control: CAP_SYS_ADMIN
answer = 0
for number, arguments in ((167, (b"/nowhere", 0)), (168, (b"/nowhere",)), (179, (0, None, 0, None)), (163, (b"/nowhere",))):
    try:
        answer += syscall(number, *arguments) >= 0
    except OSError as error:
        answer += error.errno == 2  # it looked for the file, so it was allowed to
