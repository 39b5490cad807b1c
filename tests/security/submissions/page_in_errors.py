"""Raises what a page must not run."""


def train(model, train_set, epochs, lr):
    raise ValueError("<script>document.title='owned'</script>")


raise ValueError("</code><script>document.title='owned'</script><svg onload=alert(1)>")
# verdict: crashed, failed
