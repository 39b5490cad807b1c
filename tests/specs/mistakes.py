"""Mistakes of form that students make in any task, and how each is planted into a right solution of any spec."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from textwrap import indent

from autograder.model import Verdict
from autograder.specs.schema import EntryPoint, GraderSpec

CRASHED, FAILED, PARTIAL = Verdict.CRASHED, Verdict.FAILED, Verdict.PARTIAL


@dataclass(frozen=True)
class Mistake:
    """What a function, or a model's forward, does wrong, and what the student must read.

    do: statements before the honest call. give: what is returned in place of `result`. parameters: in place of the
    honest ones. before: first line of the file. absent: the entry is not there at all. verdicts: any of these.
    says, advises: regular expressions for the message and for the hint, {name} being the entry's official name.
    accepted: for what passes where nothing is spoilt by it, what a passed check says of it; empty: it must not pass.
    """

    verdicts: tuple[Verdict, ...]
    says: str
    advises: str
    do: str = "pass"
    give: str = "result"
    parameters: str = ""
    before: str = ""
    absent: bool = False
    accepted: str = ""


NO_GPU = (r"CUDA|NVIDIA", r"no GPU.*torch\.cuda\.is_available")
NO_NETWORK = r"no network.*supplied by the grader"
ONE_TENSOR = r"one tensor: no tuple or dict around it, and no \.numpy\(\), \.tolist\(\)|Return a tensor"

# In any code that is called.
ANYWHERE = {
    "needs_a_gpu": Mistake((CRASHED,), *NO_GPU, do="__import__('torch').zeros(3).cuda()"),
    "ten_times_the_budget": Mistake(
        (Verdict.TIMED_OUT,), r"longer than [\d.]+ s", r"loop", do="__import__('time').sleep(3600)"
    ),
    "prints_megabytes": Mistake(
        (Verdict.OUTPUT_LIMIT,), r"printed more than \d+ MB", r"inner loop", do="print('x' * 100_000_000, flush=True)"
    ),
    "missing_package": Mistake(
        (CRASHED,),
        r"`pytorch_lightning` is not installed.*available: .*torch",
        r"Do without it",
        do="pl.seed_everything(1)",
        before="import pytorch_lightning as pl",
    ),
    "downloads_pictures": Mistake(
        (CRASHED,),
        r"torchvision\.datasets\.CIFAR10 can't be had",
        NO_NETWORK,
        do="torchvision.datasets.CIFAR10('.', download=True)",
        before="import torchvision",
    ),
    "downloads_a_model": Mistake(
        (CRASHED,),
        r"from_pretrained\('bert-base-uncased'\) can't be had",
        NO_NETWORK,
        do="FETCHED or FETCHED.append(__import__('transformers').AutoModel.from_pretrained('bert-base-uncased'))",
        before="FETCHED = []",
    ),
    "downloads_sentences": Mistake(
        (CRASHED,),
        r"load_dataset\('dair-ai/emotion'\) can't be had",
        NO_NETWORK,
        do="__import__('datasets').load_dataset('dair-ai/emotion')",
        before="import datasets",
    ),
    "opens_a_connection": Mistake(
        (CRASHED,),
        r"network can't be reached",
        r"no network",
        do="__import__('urllib.request').request.urlopen('https://example.org')",
    ),
    "too_much_memory": Mistake(
        (Verdict.OUT_OF_MEMORY,),
        r"asked for 40\.0 GB of memory",
        r"smaller layers or batches",
        do="kept = __import__('torch').ones(10_000_000_000)",
    ),
    "asks_for_input": Mistake((CRASHED,), r"input\(\)", r"Nobody", do="input('go on?')"),
    "reads_a_file_of_its_own": Mistake(
        (CRASHED,), r"No such file.*weights\.pt", r"\.zip", do="open('/content/drive/MyDrive/weights.pt')"
    ),
    "exits": Mistake((CRASHED,), r"called exit\(\)", r"Take out exit", do="exit()"),
}
SERVED = {  # by a task that has them
    "downloads_a_model": "hub/",
    "downloads_pictures": "datasets/cifar10.npz",
    "downloads_sentences": "datasets/emotion/",
}
for name in SERVED:
    ANYWHERE[name] = replace(ANYWHERE[name], accepted=".")
# What a function raises is an answer: it fails the case in which it was given.
CALLED = {name: replace(mistake, verdicts=(*mistake.verdicts, FAILED)) for name, mistake in ANYWHERE.items()}
MODEL = ANYWHERE | {
    "missing": Mistake((FAILED, PARTIAL), r"No (class|function) named {name}", r"Define .*{name}", absent=True),
    "wrong_signature": Mistake(
        (CRASHED,),
        r"missing \d+ required .*scale",
        r"default value",
        parameters="images, mask, scale, extra",
    ),
    "a_layer_on_another_device": Mistake((CRASHED,), r"meta", r"different devices.*no \.to\(\)", do="self.to('meta')"),
    "outputs_on_the_wrong_device": Mistake((CRASHED,), *NO_GPU, give="result.cuda()"),
    "half_precision": Mistake((CRASHED, FAILED), r"[Hh]alf", r"float32.*\.half\(\)", do="self.half()"),
    "double_precision": Mistake(
        (CRASHED,), r"[Dd]ouble", r"float32.*\.double\(\)", do="self.double()", accepted="as expected"
    ),
    "returns_tuple": Mistake(
        (CRASHED, FAILED), r"tuple", ONE_TENSOR, give="(result, result)", accepted="returned a tuple"
    ),
    "returns_dict": Mistake(
        (CRASHED, FAILED), r"dict", ONE_TENSOR, give="{'answer': result}", accepted="returned a dict"
    ),
    "returns_numpy": Mistake((CRASHED, FAILED), r"ndarray", ONE_TENSOR, give="result.detach().numpy()"),
    "returns_list": Mistake((CRASHED, FAILED), r"list", ONE_TENSOR, give="result.tolist()"),
    "returns_nothing": Mistake((FAILED,), r"returned NoneType.*`return` missing", r"Return a tensor", give="None"),
    "returns_text": Mistake((FAILED,), r"returned str", r"Return a tensor", give="'cat'"),
    "nan_outputs": Mistake((FAILED,), r"NaN or infinite", r"logarithm or division", give="result * float('nan')"),
}
TRAINING = ANYWHERE | {
    "missing": Mistake((FAILED, PARTIAL), r"No function named {name}", r"Define .*{name}", absent=True),
    "wrong_signature": Mistake(
        (CRASHED,), r"`teacher`", r"default value.*starter", parameters="model, teacher, train_set"
    ),
}
MANY = "teacher, pupil, coach, tutor, mentor, guide, warden, head"
FUNCTION = CALLED | {
    "missing": Mistake((FAILED, PARTIAL), r"No function named {name}", r"Define .*{name}", absent=True),
    "too_many_parameters": Mistake(
        (CRASHED, FAILED),
        r"mentor",
        r"default value|Compare names",
        parameters="teacher, pupil, coach, tutor, mentor, guide, warden, head",
    ),
    "too_few_parameters": Mistake(
        (CRASHED, FAILED), r"{name}\(|None", r"Compare names and order|`return` missing", parameters=" "
    ),
    "returns_nothing": Mistake((FAILED,), r"None", r"[Rr]eturn", give="None"),
    "returns_text": Mistake((FAILED,), r"text|str", r".", give="'cat'"),
    "returns_dict": Mistake((FAILED,), r"dict|keys are missing", r".", give="{'answer': result}"),
    "returns_tuple": Mistake((FAILED,), r"tuple|list|got 2", r".", give="(result, result)", accepted="."),
    "returns_numpy_objects": Mistake(
        (FAILED,), r"array", r".", give="__import__('numpy').array([result, None], object)"
    ),
    "nan": Mistake((FAILED,), r"NaN|number|float", r".", give="float('nan')"),
}
VALUE = {
    "missing": Mistake((FAILED, PARTIAL), r"No variable named {name}", r"Define .*{name}", absent=True),
    "returns_nothing": Mistake((FAILED,), r"None|has no|empty", r".", give="None"),
}
ROLES: Mapping[str, Mapping[str, Mistake]] = {
    "model": MODEL,
    "function": FUNCTION,
    "training": TRAINING,
    "value": VALUE,
}


def roles(spec: GraderSpec, source: str) -> dict[str, str]:
    """Which entry point of a spec each role's mistakes are planted into: the first that is asked and defined."""
    kinds = {"function": "call calls schedule predict", "value": "call calls"}
    found: dict[str, str] = {}
    for observation in spec.observations.values():
        entry, trainer = getattr(observation, "entry", None), getattr(observation, "function", None)
        if trainer is not None:
            found.setdefault("training", trainer)
        kind = spec.entry_points[entry].kind if entry is not None else ""
        asked = kind == "model" or observation.probe in kinds.get(kind, "").split()
        if asked and (kind != "function" or has_parameters(spec.entry_points[entry], source)):
            found.setdefault(kind, entry)
    return found


def has_parameters(entry: EntryPoint, source: str) -> bool:
    """True if the solution's function takes any."""
    node = definition(entry, source)
    return isinstance(node, ast.FunctionDef) and bool(node.args.args)


def definition(entry: EntryPoint, source: str) -> ast.stmt:
    """Where the solution defines the entry point."""
    accepted = [*entry.names, *entry.factories]
    for name in accepted:
        for node in ast.parse(source).body:
            targets = node.targets if isinstance(node, ast.Assign) else []
            if getattr(node, "name", None) == name or any(isinstance(t, ast.Name) and t.id == name for t in targets):
                return node
    raise AssertionError(f"the solution has none of {', '.join(accepted)}")


def plant(mistake: Mistake, entry: EntryPoint, source: str) -> str:
    """The solution with the mistake in the place of one entry point, around the honest one."""
    node = definition(entry, source)
    name = node.name if isinstance(node, ast.FunctionDef | ast.ClassDef) else ast.unparse(node.targets[0])  # type: ignore[attr-defined]
    lines = source.splitlines()
    lines[node.lineno - 1] = re.sub(rf"\b{name}\b", f"honest_{name}", lines[node.lineno - 1], count=1)
    text = "\n".join([mistake.before, "import functools", *lines, ""])
    if mistake.absent:
        return re.sub(r"(?m)^class (\w+)\(nn\.Module\)", r"class \1_part", text)
    if isinstance(node, ast.Assign):
        return f"{text}\n{name} = {mistake.give}\n"
    if isinstance(node, ast.ClassDef):
        made = wrapper(mistake, "forward", "self, ", f"honest_{name}.forward")
        return f"{text}\n\nclass {name}(honest_{name}):\n{indent(made, '    ')}"
    if entry.kind != "model":
        return f"{text}\n\n{wrapper(mistake, name, '', f'honest_{name}')}"
    made = indent(wrapper(mistake, "forward", "", "honest"), "    ")
    build = (
        f"    self = honest_{name}(*args, **keywords)\n    honest = self.forward\n{made}    self.forward = forward\n"
    )
    return f"{text}\n\n@functools.wraps(honest_{name})\ndef {name}(*args, **keywords):\n{build}    return self\n"


def wrapper(mistake: Mistake, name: str, first: str, honest: str) -> str:
    """A function that calls the honest one and errs. first: its own parameter `self`, or nothing."""
    if mistake.parameters:
        return f"def {name}({first}{mistake.parameters}):\n    return None\n"
    body = f"    {mistake.do}\n    result = {honest}({first}*args, **keywords)\n    return {mistake.give}\n"
    return f"@functools.wraps({honest})\ndef {name}({first}*args, **keywords):\n{body}"
