"""Where each data set keeps its samples, as its makers and as SpikingJelly lay it out.

Nothing is downloaded, unpacked or written: SpikingJelly's own classes fetch archives and convert every sample
before the first can be read, which for ten few-shot samples is a long way. Its decoders read the official
files where they are; folders it made in earlier work (``events_np``, ``frames_number_…``) are read too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from neuroclip_live.datasets import finding, formats
from neuroclip_live.datasets.finding import Found
from neuroclip_live.errors import UserError
from neuroclip_live.events import Resolution


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
            finding.n_mnist,
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
            finding.cifar10_dvs,
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
            finding.es_imagenet,
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
            "n-cars_train/{cars,background}/*.dat and n-cars_test/{cars,background}/*.dat, or "
            "<train|test>/<sequence>/events.txt with is_car.txt beside it",
            finding.n_cars,
            formats.read_n_cars,
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
            "Caltech101/<class>/*.bin, as in Caltech101.zip, or <training|testing>/<class>/*.npy",
            finding.n_caltech101,
            formats.read_n_caltech101,
            labels=plain_label,
        ),
        Spec(
            "dvs128-gesture",
            "DVS128 Gesture",
            Resolution(128, 128),
            0,
            "A point cloud image of a person, {}.",
            False,  # left and right are what is asked
            "https://research.ibm.com/interactive/dvsgesture/",
            "trials_to_train.txt, trials_to_test.txt, and for each of their *.aedat its *_labels.csv",
            finding.dvs128_gesture,
            formats.read_gesture,
            labels=plain_label,
        ),
        Spec(
            "asl-dvs",
            "ASL-DVS",
            Resolution(240, 180),
            0,
            "A point cloud image of a hand, the letter {} of sign language.",
            False,
            "https://github.com/PIX2NVS/NVS2Graph",
            "<letter>/*.mat, as in the archives inside ICCV2019_DVS_dataset.zip",
            finding.asl_dvs,
            formats.read_asl,
            labels=str.upper,
        ),
    )
}
