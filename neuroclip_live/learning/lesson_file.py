"""Lessons on disk: the shots' features in one safetensors file, what they show in its header."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from neuroclip_live.atomic import write_atomically
from neuroclip_live.bounded import parse_json
from neuroclip_live.errors import UserError
from neuroclip_live.learning.shotbook import ShotBook
from neuroclip_live.lfs_pointer import refuse_pointer

FORMAT = "neuroclip-live lessons 1"


def write_lessons(path: Path, book: ShotBook, model: str, embed_dim: int, timesteps: int) -> None:
    """Write all lessons of a book, and what they were made with.

    Raises
    ------
    UserError
        When the file cannot be written; an old one stays as it was.
    """
    from safetensors.numpy import save

    arrays, told = book.to_tensors()
    about = {
        "format": FORMAT,
        "model": model,
        "embed_dim": embed_dim,
        "timesteps": timesteps,
        "lessons": told,
    }
    data = save(
        {key: np.ascontiguousarray(value) for key, value in arrays.items()},
        metadata={"neuroclip_live": json.dumps(about, ensure_ascii=False)},
    )
    write_atomically(path, lambda stream: stream.write(data))


def read_lessons(path: Path, model: str, embed_dim: int, timesteps: int) -> ShotBook:
    """Read what :func:`write_lessons` wrote.

    Raises
    ------
    UserError
        When the file cannot be read, is damaged, or was made with another model or T.
    """
    from safetensors import SafetensorError, safe_open

    refuse_pointer(path, "the lessons")
    try:
        with safe_open(str(path), framework="numpy") as stored:
            about = parse_json((stored.metadata() or {})["neuroclip_live"])
            if about["format"] != FORMAT:
                raise KeyError(about["format"])
            arrays = {key: stored.get_tensor(key) for key in stored.keys()}
        made_with = (about["model"], int(about["embed_dim"]), int(about["timesteps"]))
        book = ShotBook.from_tensors(arrays, about["lessons"])
    except OSError as error:
        raise UserError(f"cannot read the lessons in {path}: {error.strerror or error}") from error
    except (SafetensorError, KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise UserError(f"{path} holds no lessons of neuroclip-live, or it is damaged") from error
    if made_with != (model, embed_dim, timesteps):
        theirs, _, steps = made_with
        raise UserError(
            f"{path} was taught with the model {theirs!r} and {steps} timesteps, "
            f"not {model!r} and {timesteps}: choose those, or teach anew"
        )
    if any(x.features.shape[1:] != (timesteps, embed_dim) for x in book.lessons):
        raise UserError(f"{path} holds no lessons of neuroclip-live, or it is damaged")
    return book
