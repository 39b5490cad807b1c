"""Imports that must not fail a whole file: each is tried alone, and a missing package becomes a placeholder."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from harness.errors import MissingPackage, message_of

COMMON = ("torch", "numpy", "pandas", "matplotlib", "sklearn", "scipy", "transformers", "PIL", "tqdm", "safetensors")
NETWORK = ("requests", "datasets", "gdown", "nltk", "wget", "kaggle", "kagglehub", "opendatasets", "wandb", "torchtext")
HOOK = "__import_failed__"


class Placeholder:
    """Stands for something that could not be imported; using it says so."""

    def __init__(self, name: str, reason: str) -> None:
        self.__dict__["_placeholder"] = (name, reason)

    def __getattr__(self, attribute: str) -> Any:
        if attribute.startswith("__") and attribute not in ("__mro_entries__",):
            raise AttributeError(attribute)
        self._refuse()

    def __call__(self, *_args: Any, **_keywords: Any) -> Any:
        self._refuse()

    def __getitem__(self, _key: Any) -> Any:
        self._refuse()

    def __iter__(self) -> Any:
        self._refuse()

    def __repr__(self) -> str:
        return f"<missing: {self.__dict__['_placeholder'][0]}>"

    def _refuse(self) -> NoReturn:
        name, reason = self.__dict__["_placeholder"]
        root = name.split(".")[0]
        raise MissingPackage(f"{reason} The code uses `{name}`; remove what needs it.", name=root)


def explain(error: ImportError) -> str:
    """Why an import failed, for people."""
    if isinstance(error, ModuleNotFoundError):
        root = (error.name or message_of(error)).split(".")[0]
        have = ", ".join(name for name in COMMON if name in sys.modules or importlib.util.find_spec(name))
        advice = (
            " It would need the network, which can't be reached while grading: hand in the files the code needs."
            if root in NETWORK
            else ""
        )
        return f"The package `{root}` is not installed here (available: {have} and the standard library).{advice}"
    return f"An import failed: {message_of(error)}."


def run_import(
    node: ast.Import | ast.ImportFrom,
    namespace: dict[str, Any],
    run: Callable[[ast.stmt], None],
    note: Callable[[ImportError], None],
) -> None:
    """Execute an import statement name by name; each name that fails is bound to a Placeholder and noted.

    run: executes one statement in the namespace. note: hears of every ImportError. Other exceptions pass through.
    """
    for alias in node.names:
        single = (
            ast.Import(names=[alias])
            if isinstance(node, ast.Import)
            else ast.ImportFrom(module=node.module, names=[alias], level=node.level)
        )
        try:
            run(ast.copy_location(single, node))
        except ImportError as error:
            note(error)
            if alias.name != "*":
                namespace[alias.asname or alias.name.split(".")[0]] = Placeholder(
                    full_name(node, alias), explain(error)
                )


def full_name(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    """`package.module.name` of one imported name."""
    if isinstance(node, ast.Import):
        return alias.name
    return f"{'.' * node.level}{node.module or ''}.{alias.name}".lstrip(".")


class HardenImports(ast.NodeTransformer):
    """Rewrites a cell so that each of its top-level imports may fail alone (run-all mode).

    The cell calls `__import_failed__(error, full name)`, which must be in its namespace.
    """

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Wrap the imports of the module's own level."""
        body: list[ast.stmt] = []
        for statement in node.body:
            if isinstance(statement, ast.Import | ast.ImportFrom) and getattr(statement, "module", "") != "__future__":
                body += [self._wrapped(statement, alias) for alias in statement.names]
            else:
                body.append(statement)
        node.body = body
        return node

    def _wrapped(self, node: ast.Import | ast.ImportFrom, alias: ast.alias) -> ast.stmt:
        keyword = f"from {'.' * node.level}{node.module or ''} import" if isinstance(node, ast.ImportFrom) else "import"
        name = alias.name + (f" as {alias.asname}" if alias.asname else "")
        bound = alias.asname or alias.name.split(".")[0]
        assign = f"{bound} = " if alias.name != "*" else ""
        source = (
            f"try:\n    {keyword} {name}\n"
            f"except ImportError as _error:\n    {assign}{HOOK}(_error, {full_name(node, alias)!r})\n"
        )
        wrapped = ast.parse(source).body[0]
        for inner in ast.walk(wrapped):
            if isinstance(inner, ast.stmt | ast.expr | ast.excepthandler):
                inner.lineno = inner.end_lineno = node.lineno
        return wrapped
