"""Some seconds of one target in a process of its own, watched from outside: it may crash or hang."""

from __future__ import annotations

import gc
import logging
import multiprocessing
import os
import resource
import signal
import time
import traceback
import warnings
from collections import Counter
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from .dice import dice_for

HANG_S = 5.0
"""An input that takes more processor time than this hangs."""
SILENT_S = 60.0
"""A process that does nothing for so long by the clock is ended: it waits for something, or is in C code."""
GROWTH = 1 << 30
KEPT = 3
"""Inputs kept of failures in the same place."""


@dataclass(frozen=True)
class Turn:
    """What came of it: ``failures`` are wrong exceptions, ``crashed`` is 1 when the process died of one."""

    inputs: int
    seconds: float
    slowest_ms: float
    grown_mib: float
    failures: int
    crashed: int
    hangs: int

    @classmethod
    def take(cls, name: str, seed: int, begin: int, most: int, seconds: float, keep: Path) -> Turn:
        """Run inputs number ``begin`` to ``begin + most`` - 1, as many as there is time for."""
        context = multiprocessing.get_context("fork")
        place = context.Value("q", begin, lock=False)
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=_work, args=(name, seed, begin, most, seconds, keep, place, theirs), daemon=True
        )
        started = time.monotonic()
        process.start()
        theirs.close()
        told: dict[str, Any] | None = None
        before, since, hung = -1, started, 0
        while told is None:
            try:
                if ours.poll(0.5):
                    told = ours.recv()
            except EOFError:
                break
            if place.value != before:
                before, since = place.value, time.monotonic()
            elif time.monotonic() - since > SILENT_S:
                hung = 1
                process.kill()
                break
        process.join()
        if told is not None:
            return cls(**told, crashed=0)
        number = place.value
        reason = f"no progress for {SILENT_S:g} s" if hung else f"ended with {process.exitcode}"
        _keep(keep, name, seed, number, input_of(name, seed, number), f"the process {reason}")
        spent = time.monotonic() - started
        return cls(number + 1 - begin, spent, SILENT_S * 1000 * hung, 0.0, 0, 1 - hung, hung)


def input_of(name: str, seed: int, number: int) -> bytes:
    """Make one input again."""
    from .targets import TARGETS

    target = TARGETS[name]
    dice = dice_for(name, seed, number // target.batch)
    for _ in range(number % target.batch):
        target.input(dice)
    return target.input(dice)


def _work(
    name: str, seed: int, begin: int, most: int, seconds: float, keep: Path, place: Any, told: Connection
) -> None:
    from .targets import TARGETS

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    target = TARGETS[name]
    target.run(target.input(dice_for(name, 0, 0)))  # imports and caches are not an input's
    gc.collect()
    limit = _virtual_bytes() + GROWTH
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    usual = _peak_kib()
    number, batch, dice = begin, -1, dice_for(name, seed, 0)
    failures: Counter[str] = Counter()
    slowest, hangs, spent = 0.0, 0, 0.0
    until = time.monotonic() + seconds
    while number < begin + most and time.monotonic() < until:
        if number // target.batch != batch:
            batch = number // target.batch
            dice = dice_for(name, seed, batch)
            for _ in range(number % target.batch):
                target.input(dice)
        place.value = number
        data = target.input(dice)
        start = time.process_time()
        try:
            target.run(data)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it should not have come out
            where = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} {Path(where.filename).name}:{where.lineno}"
            failures[what] += 1
            if failures[what] <= KEPT:
                _keep(keep, name, seed, number, data, traceback.format_exc())
        took = time.process_time() - start
        if took > slowest:
            slowest = took
        spent += took
        if took > HANG_S:
            hangs += 1
            _keep(keep, name, seed, number, data, f"took {took:.1f} s")
        number += 1
    told.send(
        {
            "inputs": number - begin,
            "seconds": spent,
            "slowest_ms": slowest * 1000,
            "grown_mib": (_peak_kib() - usual) / 1024,
            "failures": failures.total(),
            "hangs": hangs,
        }
    )
    told.close()
    _clean()
    os._exit(0)


def _clean() -> None:
    import shutil

    from .places import folder

    shutil.rmtree(folder(), ignore_errors=True)


def _virtual_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _keep(keep: Path, name: str, seed: int, number: int, data: bytes, why: str) -> None:
    keep.mkdir(parents=True, exist_ok=True)
    slug = "".join(c if c.isalnum() else "_" for c in name)
    stem = f"{slug}-{seed}-{number}"
    (keep / f"{stem}.bin").write_bytes(data)
    (keep / f"{stem}.txt").write_text(why, encoding="utf-8", errors="replace")
