"""Stand-ins for what a notebook expects around it: Colab, a keyboard, a network, progress bars, worker processes."""

from __future__ import annotations

import builtins
import functools
import getpass
import importlib.abc
import importlib.machinery
import importlib.util
import inspect
import os
import socket
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any, NoReturn

from harness.errors import NETWORK_MESSAGE, InputRefused, NetworkRefused

Note = Callable[[str, str], None]

INPUT_MESSAGE = "input() was called, but nobody is there to answer. Put the value into the code."
ENVIRONMENT = {
    "MPLBACKEND": "Agg",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",  # else each missing file costs half a minute of retries
    "HF_DATASETS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":4096:8",
}


def prepare_environment() -> None:
    """Set what libraries read when they are imported. Scratch folders go beside the work directory, not into it."""
    os.environ.update(ENVIRONMENT)
    scratch = tempfile.mkdtemp(prefix="scratch-")
    for name, folder in (("MPLCONFIGDIR", "mpl"), ("IPYTHONDIR", "ipython"), ("TORCHINDUCTOR_CACHE_DIR", "inductor")):
        os.environ[name] = os.path.join(scratch, folder)  # noqa: PTH118 (text for an environment variable)


def refuse_input() -> None:
    """input() and getpass() raise InputRefused at once."""

    def refuse(*_args: object, **_keywords: object) -> NoReturn:
        raise InputRefused(INPUT_MESSAGE)

    builtins.input = refuse
    getpass.getpass = refuse


def refuse_network() -> None:
    """Looking a host up or connecting raises NetworkRefused at once (the sandbox would refuse more slowly)."""

    def refuse(*_args: object, **_keywords: object) -> NoReturn:
        raise NetworkRefused(NETWORK_MESSAGE)

    def refuse_out(plain: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(plain)
        def method(self: socket.socket, *args: Any) -> Any:
            if self.family != socket.AF_UNIX:
                refuse()
            return plain(self, *args)

        return method

    if constants := sys.modules.get("huggingface_hub.constants"):  # imported before the environment was set
        vars(constants)["HF_HUB_OFFLINE"] = True
    for name in ("create_connection", "getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
        setattr(socket, name, refuse)
    for name in ("connect", "connect_ex", "sendto"):
        setattr(socket.socket, name, refuse_out(getattr(socket.socket, name)))
    _refuse_scikit_downloads()


def _refuse_scikit_downloads() -> None:
    """scikit-learn answers a URLError by waiting and trying again; it gets another error, at once."""
    plain_open = urllib.request.OpenerDirector.open

    @functools.wraps(plain_open)
    def open_url(self: Any, fullurl: Any, *args: Any, **keywords: Any) -> Any:
        address = fullurl if isinstance(fullurl, str) else fullurl.full_url
        frame: FrameType | None = sys._getframe(1)
        while frame and not address.startswith("file:"):
            if frame.f_globals.get("__name__", "").startswith("sklearn.datasets"):
                raise NetworkRefused(NETWORK_MESSAGE)
            frame = frame.f_back
        return plain_open(self, fullurl, *args, **keywords)

    urllib.request.OpenerDirector.open = open_url  # type: ignore[method-assign]


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes modules of a stand-in package when they are imported.

    transformers is told that there is none: it would build on what the stand-in lacks.
    """

    def __init__(self, root: str, fill: Callable[[ModuleType], None]) -> None:
        self._root = root
        self._fill = fill

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """A spec for the root or anything below it."""
        if fullname != self._root and not fullname.startswith(self._root + "."):
            return None
        if _importer().split(".")[0] == "transformers":
            return None
        if fullname == self._root and (real := _real_spec(fullname, path, target)) is not None:
            return real
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        """Fill the module."""
        self._fill(module)


def _real_spec(*wanted: Any) -> importlib.machinery.ModuleSpec | None:
    """What another finder has: a module or a folder with code, not just a folder that is called so."""
    specs = (finder.find_spec(*wanted) for finder in sys.meta_path if not isinstance(finder, StandInFinder))
    for spec in filter(None, specs):
        folders = [Path(place) for place in spec.submodule_search_locations or ()]
        if spec.origin or any(any(place.glob("*.py")) for place in folders):
            return spec
    return None


def stand_in(package: str, fill: Callable[[ModuleType], None]) -> None:
    """Make a package importable that is not installed; a real module of the name, such as a student's, wins."""
    if importlib.util.find_spec(package) is None:
        sys.meta_path.insert(0, StandInFinder(package, fill))


def _importer() -> str:
    """Name of the module whose code is importing, or asking about, another one."""
    frame = sys._getframe(2)
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] in ("importlib", "_frozen_importlib"):
        frame = frame.f_back
    return str(frame.f_globals.get("__name__", ""))


def install_colab(note: Note) -> None:
    """`google.colab` imports; mounting a drive says that there is none, uploads and secrets refuse."""

    def absent(what: str) -> Callable[..., None]:
        def quiet(*_args: object, **_keywords: object) -> None:
            note("colab", f"{what} does nothing here: there is no Colab. Hand in the files the code needs.")

        return quiet

    def upload(*_args: object, **_keywords: object) -> NoReturn:
        raise InputRefused("files.upload() waits for a person, but nobody is there. Hand in the files with the code.")

    parts: dict[str, dict[str, Any]] = {
        "drive": {"mount": absent("drive.mount"), "flush_and_unmount": absent("drive.flush_and_unmount")},
        "files": {"upload": upload, "download": absent("files.download"), "view": absent("files.view")},
        "output": {"clear": absent("output.clear"), "eval_js": absent("output.eval_js")},
        "userdata": {"get": upload},
        "auth": {"authenticate_user": absent("auth.authenticate_user")},
        "patches": {"cv2_imshow": absent("cv2_imshow")},
        "data_table": {"enable_dataframe_formatter": absent("data_table")},
    }

    def fill(module: ModuleType) -> None:
        note("colab", "Colab's own modules are stand-ins here: no drive, no uploads.")
        short = module.__name__.removeprefix("google.colab").lstrip(".")
        if short:
            vars(module).update(parts.get(short, {}))
            return
        for name, members in parts.items():
            part = ModuleType(f"google.colab.{name}")
            vars(part).update(members)
            setattr(module, name, part)
            sys.modules[part.__name__] = part

    if importlib.util.find_spec("google") is None:
        google = ModuleType("google")
        google.__path__ = []
        sys.modules["google"] = google
    sys.meta_path.append(StandInFinder("google.colab", fill))


class _Shell:
    """What get_ipython() answers where no IPython runs: accepts everything, does nothing."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_args, **_keywords: None


def install_notebook_names() -> None:
    """`display` and `get_ipython` exist although no IPython runs (definitions-only mode)."""
    shell = _Shell()
    builtins.get_ipython = lambda: shell  # type: ignore[attr-defined]
    builtins.display = lambda *objects, **_keywords: print(*objects)  # type: ignore[attr-defined]


class _Silence:
    """A file that keeps nothing."""

    def write(self, _text: str) -> None:
        """Nothing."""

    def flush(self) -> None:
        """Nothing."""


def quiet_progress() -> None:
    """Progress bars count and print nothing. tqdm's notebook flavour needs a browser: give its name to the plain one.

    `disable=True` would be simpler, but such bars lack attributes (`n`, `desc`) that notebooks read.
    """
    try:
        import tqdm
    except ImportError:
        return
    plain_init, signature = tqdm.tqdm.__init__, inspect.signature(tqdm.tqdm.__init__)

    @functools.wraps(plain_init)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        bound = signature.bind(self, *args, **keywords)
        bound.arguments["file"] = _Silence()
        plain_init(*bound.args, **bound.kwargs)

    tqdm.tqdm.__init__ = init
    tqdm.tqdm.display = lambda _self, *_args, **_keywords: True
    tqdm.tqdm.monitor_interval = 0  # else a thread
    module = ModuleType("tqdm.notebook")
    bar = type("tqdm_notebook", (tqdm.tqdm,), {"__module__": "tqdm.notebook"})

    def tnrange(*args: Any, **kwargs: Any) -> Any:
        """Shortcut for `tqdm.notebook.tqdm(range(*args), **kwargs)`."""
        return bar(range(*args), **kwargs)

    vars(module).update(tqdm=bar, trange=tnrange, tqdm_notebook=bar, tnrange=tnrange)
    sys.modules["tqdm.notebook"] = module
    tqdm.notebook = module


def tame_torch() -> None:
    """DataLoaders work in the process itself, tensors reach other processes through files, not through descriptors (the
    sandbox lets none be sent), and torch.load puts tensors where they can live."""
    import torch
    import torch.multiprocessing
    from torch.utils.data import DataLoader

    plain_init, signature = DataLoader.__init__, inspect.signature(DataLoader.__init__)
    alone = {"num_workers": 0, "pin_memory": False, "persistent_workers": False, "prefetch_factor": None}
    alone |= {"timeout": 0, "multiprocessing_context": None}

    @functools.wraps(plain_init)
    def init(self: Any, *args: Any, **keywords: Any) -> None:
        bound = signature.bind(self, *args, **keywords)
        bound.arguments.update({k: v for k, v in alone.items() if k in bound.arguments})
        plain_init(*bound.args, **bound.kwargs)

    DataLoader.__init__ = init
    torch.multiprocessing.set_sharing_strategy("file_system")
    if torch.cuda.is_available():
        return
    plain_load = torch.load

    @functools.wraps(plain_load)
    def load(f: Any, map_location: Any = None, *args: Any, **keywords: Any) -> Any:
        return plain_load(f, map_location or "cpu", *args, **keywords)

    torch.load = load
