"""What a file calls torch, its losses and its own functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst
import libcst.matchers as m

from autograder.proof.mutation.base import Names, called, dotted

_FUNCTIONAL = {"torch": ".nn.functional", "torch.nn": ".functional", "torch.nn.functional": ""}


def names_in(modules: Sequence[cst.Module]) -> Names:
    """The names of one file, which is several modules if it is a notebook."""
    bound = [pair for module in modules for pair in _bound(module)]
    nodes = [node for module in modules for node in m.findall(module, m.FunctionDef() | m.Assign())]
    routes = {what: name + rest for what, rest in _FUNCTIONAL.items() for name, found in bound if found == what}
    return Names(
        torch=next((name for name, what in bound if what == "torch"), ""),
        functional=next(iter(routes.values()), ""),
        learns=any(what.split(".")[0] == "torch" for _, what in bound),
        losses=frozenset(name for node in nodes if isinstance(node, cst.Assign) for name in _losses(node)),
        own=frozenset(node.name.value for node in nodes if isinstance(node, cst.FunctionDef)),
    )


def _bound(module: cst.Module) -> Iterator[tuple[str, str]]:
    """Names that imports at top level bind, and to what. An import elsewhere may not have been run."""
    for line in module.body:
        for statement in line.body if isinstance(line, cst.SimpleStatementLine) else ():
            if isinstance(statement, cst.Import):
                for alias in statement.names:
                    what = dotted(alias.name)
                    # `import torch.nn` binds torch, `import torch.nn as nn` does not.
                    yield (_called(alias), what) if alias.asname else (what.split(".")[0], what.split(".")[0])
            elif isinstance(statement, cst.ImportFrom) and not isinstance(statement.names, cst.ImportStar):
                for alias in statement.names:
                    yield _called(alias), f"{dotted(statement.module)}.{dotted(alias.name)}"


def _called(alias: cst.ImportAlias) -> str:
    return dotted(alias.asname.name) if alias.asname and isinstance(alias.asname.name, cst.Name) else dotted(alias.name)


def _losses(assign: cst.Assign) -> Iterator[str]:
    """`crit` of `crit = nn.CrossEntropyLoss()` and of `crit = F.cross_entropy`."""
    held = called(assign.value) if isinstance(assign.value, cst.Call) else ""
    function = dotted(assign.value).split(".")[-1]
    if held.endswith("Loss") or function in ("cross_entropy", "nll_loss", "mse_loss"):
        yield from (name for target in assign.targets if (name := dotted(target.target)))
