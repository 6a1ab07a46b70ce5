"""Where each data set keeps its samples, as its makers and as SpikingJelly lay it out.

Nothing is downloaded, unpacked or written: SpikingJelly's own classes fetch archives and convert every sample
before the first can be read, which for ten few-shot samples is a long way. Its decoders read the official
files where they are; folders it made in earlier work (``events_np``, ``frames_number_…``) are read too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from neuroclip_live.bounded import read_bounded
from neuroclip_live.datasets import formats
from neuroclip_live.datasets.limits import inside
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution

Found = tuple[str, str, Path]
"""Split (``train``, ``test`` or ``all``), the label's folder name, the file."""
_MAX_LISTING_BYTES = 1 << 25


@dataclass(frozen=True)
class Spec:
    """A data set's facts.

    Attributes
    ----------
    key, title : str
    resolution : Resolution
    threshold : int
        Of the discrimination strategy, as in the reference.
    template : str
        The reference's sentence, with the label at ``{}``.
    flip : bool
        Whether a mirrored sample is still of its class.
    url, expected : str
        Where it comes from and how it must lie under the root, for the message when it does not.
    find : callable
        From a folder to its samples; nothing when the folder is not laid out so.
    decode : callable
        Reads one official file.
    test_share : float
        Share of each class that is held out for testing where the makers did not split.
    """

    key: str
    title: str
    resolution: Resolution
    threshold: int
    template: str
    flip: bool
    url: str
    expected: str
    find: Callable[[Path], Iterator[Found]]
    decode: formats.Decode
    test_share: float = 0.2
    labels: Callable[[str], str] = str


def _files(folder: Path, *suffixes: str) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in suffixes and not p.name.startswith("."))


def _folders(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _by_class(folder: Path, split: str, *suffixes: str) -> Iterator[Found]:
    for each in _folders(folder):
        for file in _files(each, *suffixes):
            yield split, each.name, file


def by_class(root: Path, suffix: str) -> Iterator[Found]:
    """Walk ``[Train|Test/]<class>/*<suffix>``."""
    split = list(_by_class(_child(root, "Train"), "train", suffix))
    if split:
        yield from split
        yield from _by_class(_child(root, "Test"), "test", suffix)
    else:
        yield from _by_class(root, "all", suffix)


def _child(folder: Path, *names: str) -> Path:
    """Return the child with one of these names, in any case; a path that is not there when there is none."""
    wanted = {name.lower() for name in names}
    if folder.is_dir():
        for each in sorted(folder.iterdir()):
            if each.name.lower() in wanted:
                return each
    return folder / names[0]


def _n_mnist(root: Path) -> Iterator[Found]:
    yield from _by_class(_child(root, "Train"), "train", ".bin")
    yield from _by_class(_child(root, "Test"), "test", ".bin")


def _cifar10_dvs(root: Path) -> Iterator[Found]:
    yield from _by_class(root, "all", ".aedat", ".aedat4")


def _n_caltech101(root: Path) -> Iterator[Found]:
    inner = _child(root, "Caltech101")
    for found in _by_class(inner if inner.is_dir() else root, "all", ".bin"):
        if found[1] != "BACKGROUND_Google":  # pictures of anything at all: no class to name
            yield found


def _n_cars(root: Path) -> Iterator[Found]:
    for split in ("train", "test"):
        folder = _child(root, f"n-cars_{split}", f"n-cars-{split}", f"ncars_{split}", split)
        yield from _by_class(folder, split, ".dat")


def _es_imagenet(root: Path) -> Iterator[Found]:
    inner = _child(root, "ES-imagenet-0.18")
    root = inner if inner.is_dir() else root
    yield from _by_class(root / "train", "train", ".npz")
    listing = root / "vallabel.txt"
    if listing.is_file():
        for line in _read_listing(listing).splitlines():
            name, label, *_ = [*line.split(), "", ""]
            if label.isdecimal():
                file = inside(root / "val", name)
                if file is None:
                    raise UserError(f"{listing} names {name!r}, which is not a file of its folder val")
                yield "test", f"class{label}", file


def _read_listing(path: Path) -> str:
    try:
        return read_bounded(path, _MAX_LISTING_BYTES).decode("utf-8")
    except (OSError, ValueError) as error:
        raise UserError(f"cannot read {path}: {error}") from error


def _imagenet_label(folder: str) -> str:
    from open_clip import IMAGENET_CLASSNAMES

    number = folder.removeprefix("class")
    if not number.isdigit() or int(number) >= len(IMAGENET_CLASSNAMES):
        raise UserError(f"ES-ImageNet has folders class0 to class999 under train, not {folder!r}")
    return str(IMAGENET_CLASSNAMES[int(number)])


def plain_label(folder: str) -> str:
    """Return the label that a folder's name stands for."""
    return folder.replace("_", " ")


SPECS = {
    spec.key: spec
    for spec in (
        Spec(
            "n-mnist",
            "N-MNIST",
            Resolution(34, 34),
            0,
            'A black and white photo of the Arabic numeral number: "{}".',
            False,
            "https://www.garrickorchard.com/datasets/n-mnist",
            "Train/<digit>/*.bin and Test/<digit>/*.bin, as in Train.zip and Test.zip",
            _n_mnist,
            formats.read_atis,
            test_share=0.5,
        ),
        Spec(
            "cifar10-dvs",
            "CIFAR10-DVS",
            Resolution(128, 128),
            1,
            "A low quality stick figure of the object {}.",
            True,
            "https://figshare.com/articles/dataset/CIFAR10-DVS_New/4724671",
            "<class>/*.aedat (or .aedat4) for ten classes, as in airplane.zip to truck.zip",
            _cifar10_dvs,
            formats.read_cifar10_dvs,
            test_share=0.1,
        ),
        Spec(
            "es-imagenet",
            "ES-ImageNet",
            Resolution(256, 256),
            0,
            "A low quality point cloud image of {}.",
            True,
            "https://cloud.tsinghua.edu.cn/d/94873ab4ec2a4eb497b3",
            "ES-imagenet-0.18/train/class<n>/*.npz, ES-imagenet-0.18/val/*.npz and vallabel.txt",
            _es_imagenet,
            formats.read_es_imagenet,
            labels=_imagenet_label,
        ),
        Spec(
            "n-cars",
            "N-Cars",
            Resolution(120, 100),
            0,
            "A low quality point cloud image of a {}.",
            True,
            "https://www.prophesee.ai/2018/03/13/dataset-n-cars/",
            "n-cars_train/{cars,background}/*.dat and n-cars_test/{cars,background}/*.dat",
            _n_cars,
            formats.read_dat,
            labels=lambda folder: "car" if folder == "cars" else folder,
        ),
        Spec(
            "n-caltech101",
            "N-Caltech101",
            Resolution(240, 180),
            0,
            "a point cloud image of a {}",
            True,
            "https://www.garrickorchard.com/datasets/n-caltech101",
            "Caltech101/<class>/*.bin, as in Caltech101.zip",
            _n_caltech101,
            formats.read_atis,
            labels=plain_label,
        ),
    )
}
