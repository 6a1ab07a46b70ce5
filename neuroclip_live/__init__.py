"""neuroclip-live: type any words and see live which of them an event camera sees.

    import neuroclip_live as nl

    for p in nl.recognize("cup.aedat4", ["a mug", "a phone"]):
        print(p.t_us, p.label, p.probability)

What is named here is imported when it is first used: importing the package itself costs nothing, and the
program, which begins with it, hears Ctrl+C from its first moment on (:mod:`neuroclip_live.start`).
"""

from __future__ import annotations

__version__ = "0.1.0"

TYPE_CHECKING = False  # type checkers take it for true by its name; ``typing`` itself takes longest to import

if TYPE_CHECKING:
    from typing import Any

    from neuroclip_drivers.demo import demo_recording
    from neuroclip_live.api import Events, Frame, frames, load_model, open, recognize, teach
    from neuroclip_live.archive.index import Index
    from neuroclip_live.errors import UserError
    from neuroclip_live.events import EVENT_DTYPE, Resolution
    from neuroclip_live.learning.adapter import load_adapter
    from neuroclip_live.learning.adapter_training import train_adapter
    from neuroclip_live.live_session import Session
    from neuroclip_live.recognition.prediction import Decision, Prediction

__all__ = [
    "EVENT_DTYPE",
    "Decision",
    "Events",
    "Frame",
    "Index",
    "Prediction",
    "Resolution",
    "Session",
    "UserError",
    "__version__",
    "demo_recording",
    "frames",
    "load_adapter",
    "load_model",
    "open",
    "recognize",
    "teach",
    "train_adapter",
]

_PLACES = {
    "EVENT_DTYPE": "neuroclip_live.events",
    "Decision": "neuroclip_live.recognition.prediction",
    "Events": "neuroclip_live.api",
    "Frame": "neuroclip_live.api",
    "Index": "neuroclip_live.archive.index",
    "Prediction": "neuroclip_live.recognition.prediction",
    "Resolution": "neuroclip_live.events",
    "Session": "neuroclip_live.live_session",
    "UserError": "neuroclip_live.errors",
    "demo_recording": "neuroclip_drivers.demo",
    "frames": "neuroclip_live.api",
    "load_adapter": "neuroclip_live.learning.adapter",
    "load_model": "neuroclip_live.api",
    "open": "neuroclip_live.api",
    "recognize": "neuroclip_live.api",
    "teach": "neuroclip_live.api",
    "train_adapter": "neuroclip_live.learning.adapter_training",
}
"""Where each name lives; the imports above tell the same to type checkers."""


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    try:
        value = getattr(import_module(_PLACES[name]), name)
    except ImportError as error:
        raise import_module("neuroclip_live.extras").explained(error) or error from error
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
