"""Names files, functions, parameters and classes so that a page that shows them would run something."""

X = "<script>document.title='owned'</script>"
globals()[X] = type(X, (nn.Module,), {})
globals()["Net<img src=x onerror=alert(1)>"] = type("Net<img src=x onerror=alert(1)>", (Net,), {"__module__": "__main__"})


class Net(Net):
    def __init__(self):
        super().__init__()
        self.add_module(X.replace(".", ""), nn.Linear(1, 1))

    def forward(self, x):
        return super().forward(x)


Net.__name__ = Net.__qualname__ = X
