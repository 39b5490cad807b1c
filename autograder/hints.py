"""What to try about the errors that PyTorch beginners meet most: from an error's text to one sentence."""

from __future__ import annotations

import re

_LESS_MEMORY = "Use smaller layers or batches, and don't keep tensors of every step in a list (use loss.item())."
_HINTS: tuple[tuple[str, str], ...] = (
    (
        r"mat1 and mat2 shapes cannot be multiplied",
        "The first fully connected layer expects another number of inputs than flatten gives it. Print x.shape just "
        "before that layer: its in_features must be the product of all axes but the first.",
    ),
    (
        r"shape '\[.*\]' is invalid for input of size",
        "This view or reshape does not fit the data. Keep the batch axis and let PyTorch count the rest: x.flatten(1).",
    ),
    (
        r"expected input\[.*\] to have \d+ channels",
        "This convolution's in_channels must be the out_channels of the layer before it (3 for a colour image).",
    ),
    (
        r"Calculated padded input size|Output size is too small|Kernel size can't be greater",
        "The feature map has become smaller than the kernel. Use padding, or fewer pooling layers.",
    ),
    (
        r"expected scalar type Long|not implemented for '(Int|Float|Double|Byte)'|expected .*Long",
        "Labels of a cross entropy must be whole numbers of type torch.long, one for each example: y.long().",
    ),
    (
        r"Found dtype|expected m1 and m2 to have the same dtype|should be the same|mixed dtype",
        "Two tensors have different types. Inputs come as float32; don't call .double() or .half() on one side only.",
    ),
    (
        r"must be Tensor, not (tuple|list|dict|(numpy\.)?\w*ndarray|float|NoneType)|no gradient flows",
        "forward has to return one tensor: no tuple or dict around it, and no .numpy(), .tolist() or .item() after it.",
    ),
    (
        r"is not on the expected device|meta tensor|device meta",
        "A layer and its input live on different devices. Leave moving to the grader: no .to() or .cuda() in a model.",
    ),
    (r"^SystemExit", "Take out exit(), quit() and sys.exit(): use return, or raise an error that says what is wrong."),
    (
        r"that the grader can't supply",
        "Give the parameter a default value, or name and order the parameters as in the starter file.",
    ),
    (
        r"on the same device|No CUDA GPUs|not compiled with CUDA|CUDA_HOME|Found no NVIDIA driver",
        "There is no GPU on this lane. Choose the device with torch.cuda.is_available().",
    ),
    (
        r"Target \d+ is out of bounds|index \d+ is out of bounds|Assertion `?t >= 0",
        "The last layer has fewer outputs than there are classes.",
    ),
    (
        r"Expected more than 1 value per channel when training",
        "A batch normalisation was given a single row while it takes its statistics from the batch. In eval mode it "
        "must use its running averages: call model.eval(), and leave track_running_stats on.",
    ),
    (
        r"does not require grad",
        "The loss is cut off from the weights: look for detach(), .data, .item() or no_grad() before backward().",
    ),
    (
        r"backward through the graph a second time",
        "Compute the loss anew for every step; don't keep a tensor from the step before.",
    ),
    (
        r"missing \d+ required (positional|keyword)",
        "The function needs an argument that it is not given. Give it a default value, or use the handout's names.",
    ),
    (
        r"got an unexpected keyword argument|takes \d+ positional arguments? but|can't be called with the parameters",
        "The parameters differ from the handout's. Compare names and order with the starter file.",
    ),
    (
        r"^NameError|name '.*' is not defined",
        "The name is made by code that is not run here: only imports, classes, functions and simple constants are. "
        "Make it inside the function or class that needs it.",
    ),
    (
        r"out of shared memory|/torch_\d\w*>?: No space left",
        "The space in which processes hand tensors to each other is full. Work in one process, on smaller batches.",
    ),
    (  # the second line is how sqlite, torch and numpy put it
        r"\[Errno (27|28)\]|No space left on device|\(os error 27\)"
        r"|database or disk is full|inline_container\.cc.*unexpected pos|OSError: \d+ requested and \d+ written",
        "The limit on disk space, on the size of one file or on the number of files is reached. Write fewer and "
        "smaller files: keep results in variables, save weights once and not in every epoch, and remove old files.",
    ),
    (
        r"can't start new thread|^(BlockingIOError|RuntimeError|OSError): .*Resource temporarily unavailable",
        "The limit on processes and threads is reached. Start fewer of them (num_workers=0, n_jobs=1, small pools) "
        "and wait for their end before you start more.",
    ),
    (
        r"\[Errno 24\]|Too many open files",
        "The limit on files that are open at once is reached. Open files in a with block, which closes them.",
    ),
    (r"\[Errno 12\]", _LESS_MEMORY),
    (
        r"^FileNotFoundError|No such file or directory",
        "Files on your computer or Drive are not here. Put what you need into the .zip beside your notebook.",
    ),
    (
        r"^NotImplementedError",
        "This part is still unwritten: put your own code in the place of the starter's raise. A model also needs a "
        "method called forward.",
    ),
    (r"maximum recursion depth", "A function calls itself without end: does forward call self(x) instead of a layer?"),
    (
        r"has no attribute",
        "Is the layer created in __init__ under this name, and is super().__init__() its first line?",
    ),
    (
        r"^unsupported: a scheduler factory",
        "Is the `return` missing? Return the scheduler that you made, or a function that gives a step's rate.",
    ),
    (r"^unsupported", "Return a tensor, an array or plain numbers."),
)
_BY_KIND = {
    "network": "There is no network here. Training and test data are supplied by the grader; put small files of your "
    "own into the .zip, and keep downloads outside of functions and classes.",
    "missing_package": "This package is not installed here. Do without it, or move what needs it to a cell that is not "
    "needed for grading.",
    "input": "Nobody can type here. Use function parameters or constants instead of input().",
    "memory": _LESS_MEMORY,
}


def hint_for(kind: str, said: str) -> str:
    """What to try. kind: the error's kind on the wire; said: type and text. Empty if nothing fits."""
    if kind in _BY_KIND:
        return _BY_KIND[kind]
    return next((hint for pattern, hint in _HINTS if re.search(pattern, said[:2000])), "")
