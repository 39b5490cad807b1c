"""Leaves a hook, which nothing can remove, that hears of every file opened later."""


def hear(event, arguments):
    if event == "open" and "label" in str(arguments[0]):
        got(arguments[0])


sys.addaudithook(hear)
