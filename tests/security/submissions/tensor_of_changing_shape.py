"""Returns a tensor subclass that lies about its shape and data when looked at."""


class Shifty(torch.Tensor):
    looks = 0

    @property
    def shape(self):
        Shifty.looks += 1
        return torch.Size([12, 3]) if Shifty.looks % 2 else torch.Size([1 << 40, 3])

    def numpy(self, *arguments, **keywords):
        return b"no array at all"


class Net(Net):
    def forward(self, x):
        return super().forward(x).as_subclass(Shifty)
