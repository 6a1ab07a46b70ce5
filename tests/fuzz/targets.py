"""What has to bear any bytes: one function a door, ``bytes -> None``, that lets pass what the door promises.

Whatever else comes out of one of these functions is a fault of the product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from neuroclip_drivers.aedat4.format import locate_events, parse_header
from neuroclip_drivers.aedat4.index import parse_index
from neuroclip_drivers.aedat4.payloads import parse_frame

from . import containers as c
from . import doors_recordings as recordings
from . import doors_samples as samples
from . import doors_settings as settings
from .dice import Dice, mutate
from .json_values import bad_json


@dataclass(frozen=True)
class Target:
    """One door.

    ``share`` is how many of a million inputs it gets; ``batch`` how many are made from one seed.
    """

    name: str
    run: Callable[[bytes], None]
    share: int
    seeds: Callable[[], Sequence[bytes]] = tuple
    tokens: Sequence[bytes] = ()
    make: Callable[[Dice], bytes] | None = None
    batch: int = 1000

    def input(self, dice: Dice) -> bytes:
        if self.make is not None:
            return self.make(dice)
        seeds = self.seeds()
        return mutate(dice.choose(seeds), dice, self.tokens, seeds)


def _words() -> Sequence[bytes]:
    return settings.WORDS


_ALL = (
    Target("recording", recordings.recording, 4_000, make=c.recording, batch=100),
    Target("repair", recordings.repair, 2_000, make=c.recording, batch=100),
    Target("network", recordings.network, 2_000, make=c.stream, batch=100),
    Target("aedat4 header", recordings.unit(parse_header), 70_000, c.headers, c.TOKENS),
    Target("aedat4 index", recordings.unit(parse_index), 60_000, c.index_payloads, c.TOKENS),
    Target("jAER", recordings.datagrams, 2_000, recordings.event_seeds),
    Target("ROS 2", recordings.ros2, 40_000, recordings.ros2_seeds, recordings.ROS2_TOKENS),
    Target("aedat4 events", recordings.unit(locate_events), 208_000, c.event_payloads, c.TOKENS),
    Target("aedat4 frame", recordings.unit(parse_frame), 200_000, c.frame_payloads, c.TOKENS),
    Target("compression", recordings.compressed, 120_000, recordings.compressed_seeds, c.TOKENS),
    Target("events", recordings.events, 1_000, recordings.event_seeds, c.TOKENS),
    Target("N-MNIST .bin", samples.sample("read_atis"), 81_000, samples.atis_seeds),
    Target("N-Cars text", samples.sample("read_n_cars", "input.txt"), 3_000, samples.text_seeds),
    Target("N-Caltech101 .npy", samples.sample("read_n_caltech101", "input.npy"), 2_000, samples.npy_seeds),
    Target("ASL-DVS .mat", samples.sample("read_asl"), 2_000, samples.mat_seeds),
    Target("DVS128 Gesture .aedat", samples.gesture, 2_000, samples.gesture_seeds),
    Target("N-Cars .dat", samples.sample("read_dat"), 30_000, samples.dat_seeds),
    Target("CIFAR10-DVS .aedat", samples.sample("read_cifar10_dvs"), 10_000, samples.aedat_seeds),
    Target(".npz events", samples.sample("read_events_npz"), 2_000, samples.npz_seeds),
    Target(".npz ES-ImageNet", samples.sample("read_es_imagenet"), 2_000, samples.npz_seeds),
    Target(".npz frames", samples.frame_sample, 2_000, samples.npz_seeds),
    Target("adapter", samples.adapter, 1_500, make=samples.bad_adapter, batch=100),
    Target("lessons", samples.lessons, 4_000, make=samples.bad_lessons),
    Target("window settings", settings.window_settings, 4_000, make=bad_json(settings.SETTINGS)),
    Target("lists and cameras", settings.prompt_sets, 6_000, make=bad_json(settings.SETTINGS)),
    Target("--config", settings.config, 40_000, make=bad_json(settings.CONFIG)),
    Target("prompts", settings.prompts, 60_000, _words, settings.WORD_TOKENS),
    Target("prompt file", settings.prompt_file, 30_000, _words, settings.WORD_TOKENS),
    Target("tokens", settings.tokens, 6_000, _words, settings.WORD_TOKENS),
    Target("command line", settings.command_line, 3_500, make=settings.bad_arguments),
)
TARGETS = {target.name: target for target in _ALL}
assert sum(target.share for target in _ALL) == 1_000_000
