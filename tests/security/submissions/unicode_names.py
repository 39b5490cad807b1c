"""Uses names that look like others, or turn the line around when printed."""

print("harmless \u202egnp.exe \u2066 \x1b[2J \x1b]0;owned\x07 \udcff \u0000")
ﬁt = 1
Νet = object  # a Greek capital
globals()["Net\u200b"] = object
globals()["\u202eteN"] = object
