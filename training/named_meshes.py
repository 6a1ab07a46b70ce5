"""Named meshes from free collections, made small enough for :mod:`training.mesh`'s renderer.

``python -m training.named_meshes --furniture DIR --glb DIR --out meshes.npz`` reads Debian's
``sweethome3d-furniture`` (``.sh3f``: a zip of OBJ files with a catalog of names) and folders of ``.glb``
files whose names say what they show, simplifies each to :data:`FACES` triangles and keeps one gray value a
triangle, from its texture or color. Only the result is read by training; nothing of it is stored in this
repository.
"""

from __future__ import annotations

import io
import logging
import re
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np

from training.meanings import Meanings
from training.mesh import Mesh

log = logging.getLogger("training")

FACES = 900
"""Triangles kept of a mesh: enough for its outline on a sensor of 128 pixels."""

_MOST_READ = 400_000  # triangles; what has more is passed over
_GRAY = np.array([0.299, 0.587, 0.114], np.float32)

_PLAIN = frozenset(
    "closed open opened golden gold metal leather black white evil wooden autumn dead snow mat "
    "transformed small "
    "big large medium long short slim wide single double l left right side angry filled empty broken "
    "damaged half "
    "outline lit fire burnt hard modular straight corner crop harvested winter lvl level firstage "
    "secondage new "
    "green red blue pink wall bathroom kitchen group stack stacked pile tall round modern little simple "
    "contemporary decorative old clear classic high low lower upper concept sport flat".split()
)
_SKIPPED = re.compile(
    r"parking|crossing|plug|switch|socket|rails?\b|frame |details|props|floor ?tile|roof|wall|platform|"
    r"archery|"
    r"barracks|age\b|street (3|4|curve|dead|elev|empty|bridge|straight)|streets|mountain|enemy|pickup|"
    r"cube |story|"
    r"body |grip |stock |magazine|barrel (ar|gr|pi|si|sn)|handguard|sight|scope|numbers|omen|zenith|pancake|"
    r"grass|smoke|trap|struck|living room|window \d|panes|type [abceg]|support|connector|base|ramp|"
    r"hazard|spike"
)
_RENAMED = {
    "trex": "dinosaur", "apatosaurus": "dinosaur", "ar": "assault rifle", "smg": "submachine gun",
    "sniper": "sniper rifle", "gas can": "gas can", "male": "man", "female": "woman",
    "holding male": "man", "holding female": "woman", "sitting male": "man", "sitting female": "woman",
    "bike": "bicycle", "hashtray": "ashtray", "trunck": "trunk", "toilets unit": "toilet",
    "tv": "television", "bed king": "bed", "bed bunk": "bunk bed", "smart car": "car", "chevrolet": "car",
    "ford focus": "car", "seat leon": "car", "renault scenic": "car", "peugeot cc": "car",
    "vw new beetle": "car", "sedan": "car", "car model": "car", "yamaha yzr r": "motorcycle",
    "motorbike": "motorcycle", "apple ibook": "laptop", "apple imac": "computer",
    "apple iphone": "mobile phone", "phone": "phone", "wireless phone": "cordless phone",
    "fridge": "refrigerator", "lip stick": "lipstick", "mocassin": "moccasin", "tool": "tool",
    "screen": "computer screen", "rocks": "rock", "hung window": "window", "double hung window": "window",
    "bag standing": "bag", "coin skull": "coin", "coin star": "coin", "fish bone": "bone",
    "statue horse": "statue", "common tree": "tree", "light chandelier": "chandelier",
    "boat wsail": "sailboat", "sail ship": "sailing ship", "adventurer": "man", "casual": "man",
    "farmer": "farmer", "king": "king", "spacesuit": "astronaut", "suit": "suit", "swat": "soldier",
    "worker": "worker", "punk": "man", "light desk": "desk lamp", "light floor": "floor lamp",
    "light stand": "floor lamp", "light ceiling": "ceiling lamp", "lying down male": "man",
    "lying down female": "woman", "lying down boy": "boy", "sitting boy": "boy", "sitting girl": "girl",
    "mannequin male": "mannequin", "mannequin female": "mannequin", "chest open": "chest",
    "bill €": "banknote", "tv remote control": "remote control", "mp base": "speaker",
    "mp station": "speaker", "shiba inu": "dog", "husky": "dog", "bulldog": "dog", "siamese cat": "cat",
    "woman shoes": "shoe", "paper towel holder": "paper towel", "wood logs": "log", "wood log": "log",
    "soccer ball": "soccer ball", "sofa bz": "sofa", "short": "shorts", "can": "can", "tank": "tank",
    "traffic light": "traffic light", "sign stop": "stop sign",
}  # fmt: skip
"""What a file's name means; models of cars and the like become what one would call them."""


def name_of(stem: str, known: Any) -> str | None:
    """Return the noun a file's or a catalog's name says, or None where it says none that can be seen.

    Parameters
    ----------
    stem : str
        ``PalmTree_3``, ``Apple iMac 1998`` and the like.
    known : callable
        Says whether a phrase is a noun that has a meaning.
    """
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", stem).replace("_", " ").replace("-", " ")
    spaced = " ".join(re.sub(r"\d+\S*", " ", spaced).lower().split())
    if not spaced or _SKIPPED.search(stem.lower().replace("_", " ")):
        return None
    if spaced in _RENAMED:
        return _RENAMED[spaced]
    if known(spaced) and len(spaced) > 2:
        return spaced
    words = [word for word in spaced.split() if word not in _PLAIN]
    short = " ".join(words)
    if short in _RENAMED:
        return _RENAMED[short]
    if short and len(short) > 2 and len(words) <= 3 and (known(short) or known(words[-1])):
        return short
    return None


def furniture(path: Path, known: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, scene) of one ``.sh3f`` file."""
    import trimesh

    with zipfile.ZipFile(path) as archive:
        text = archive.read("PluginFurnitureCatalog.properties").decode("latin-1")
        names = dict(re.findall(r"^name#(\d+)=(.*)$", text, re.M))
        models = dict(re.findall(r"^model#(\d+)=(.*)$", text, re.M))
        for key, name in names.items():
            noun = name_of(name.strip().encode().decode("unicode_escape"), known)
            file = models.get(key, "").strip().lstrip("/")
            if noun is None or file not in archive.namelist():
                continue
            resolver = _Beside(archive, file)
            try:
                data = io.BytesIO(archive.read(file))
                yield noun, trimesh.load_scene(data, file_type="obj", resolver=resolver)
            except Exception as error:  # noqa: BLE001  # third-party files, third-party reader: one fewer
                log.warning("%s: %s", file, error)


class _Beside:
    """Finds the files of a zip that an OBJ file of it names."""

    def __init__(self, archive: zipfile.ZipFile, file: str) -> None:
        folder = file.rpartition("/")[0]
        self._archive, self._folder = archive, folder

    def get(self, name: str) -> bytes:
        """Return a file's content; raise OSError where there is none."""
        plain = str(name).strip().replace("\\", "/").rpartition("/")[2]
        try:
            return self._archive.read(f"{self._folder}/{plain}")
        except KeyError as error:
            raise OSError(f"no file {plain}") from error

    __getitem__ = get


def glb_files(folder: Path, known: Any) -> Iterator[tuple[str, Any]]:
    """Yield (name, scene) of every ``.glb`` file below a folder."""
    import trimesh

    for path in sorted(folder.rglob("*.glb")):
        noun = name_of(path.stem, known)
        if noun is None:
            continue
        try:
            yield noun, trimesh.load_scene(path)
        except Exception as error:  # noqa: BLE001
            log.warning("%s: %s", path.name, error)


def simplified(scene: Any, faces: int = FACES) -> Mesh | None:
    """Return a scene as one mesh of at most ``faces`` triangles, z up; None where there is nothing to see."""
    import fast_simplification
    from scipy.spatial import cKDTree

    corners, grays = [], []
    for part in scene.dump():
        if not hasattr(part, "faces") or not len(part.faces):
            continue
        corners.append(np.asarray(part.vertices, np.float32)[part.faces])
        grays.append(_grays(part))
    if not corners or sum(map(len, corners)) > _MOST_READ:
        return None
    triangles, gray = np.concatenate(corners), np.concatenate(grays)
    triangles = np.stack([triangles[..., 0], -triangles[..., 2], triangles[..., 1]], -1)  # both have y up
    reach = float(np.abs(triangles - triangles.mean((0, 1))).max())
    if not np.isfinite(triangles).all() or reach <= 0:
        return None
    if len(triangles) > faces:
        middle = triangles.mean(1)
        grid = np.round(triangles.reshape(-1, 3) / (reach * 1e-4)).astype(np.int64)
        _, first, index = np.unique(grid, axis=0, return_index=True, return_inverse=True)
        points = triangles.reshape(-1, 3)[first]
        joined = index.reshape(-1, 3).astype(np.int32)
        joined = joined[
            (joined[:, 0] != joined[:, 1]) & (joined[:, 1] != joined[:, 2]) & (joined[:, 0] != joined[:, 2])
        ]
        if len(joined) > faces:
            points, joined = fast_simplification.simplify(points, joined, target_count=faces, agg=7)
        triangles = points[joined].astype(np.float32)
        gray = gray[cKDTree(middle).query(triangles.mean(1))[1]]
        if len(triangles) > 2 * faces or not len(triangles):
            return None
    flat = np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    return Mesh(triangles, np.repeat(flat[:, None], 3, 1).astype(np.float32), np.clip(gray, 0.03, 1.0))


def _grays(part: Any) -> Any:
    """Return one gray value (F,) for each of a part's triangles."""
    count = len(part.faces)
    visual = part.visual
    try:
        if getattr(visual, "kind", None) == "texture":
            image = getattr(visual.material, "image", None) or getattr(
                visual.material, "baseColorTexture", None
            )
            if image is not None and visual.uv is not None:
                small = np.asarray(image.convert("RGB").resize((64, 64)), np.float32) @ _GRAY / 255
                uv = np.asarray(visual.uv)[part.faces].mean(1)
                x, y = (uv[:, 0] % 1 * 63).astype(int), ((1 - uv[:, 1]) % 1 * 63).astype(int)
                return small[y, x].astype(np.float32)
            color = np.asarray(visual.material.main_color, np.float32)
            return np.full(count, float(color[:3] @ _GRAY) / 255, np.float32)
        return (np.asarray(visual.face_colors, np.float32)[:, :3] @ _GRAY / 255).astype(np.float32)
    except (AttributeError, ValueError, TypeError, IndexError):
        return np.full(count, 0.6, np.float32)


def save_meshes(meshes: Sequence[tuple[str, Mesh]], path: Path) -> None:
    """Write named meshes, whole or not at all."""
    beside = path.with_suffix(".tmp")
    with beside.open("wb") as file:
        np.savez_compressed(
            file,
            names=np.array([name for name, _ in meshes]),
            counts=np.array([len(mesh.gray) for _, mesh in meshes]),
            corners=np.concatenate([mesh.corners for _, mesh in meshes]).astype(np.float32),
            gray=np.concatenate([mesh.gray for _, mesh in meshes]).astype(np.float16),
        )
    beside.replace(path)


def load_meshes(path: Path) -> list[tuple[str, Mesh]]:
    """Read what :func:`save_meshes` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        names, counts = stored["names"].tolist(), stored["counts"]
        corners, gray = stored["corners"], stored["gray"].astype(np.float32)
    flat = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-12)
    normals = np.repeat(flat[:, None], 3, 1)
    ends = np.cumsum(counts)
    return [
        (name, Mesh(corners[end - count : end], normals[end - count : end], gray[end - count : end]))
        for name, count, end in zip(names, counts, ends, strict=True)
    ]


_PATH = click.Path(path_type=Path, exists=True)


@click.command(help=__doc__)
@click.option("--furniture", "furniture_folder", type=_PATH, help="Folder of .sh3f files.")
@click.option("--glb", type=_PATH, help="Folder of .glb files.")
@click.option("--wordnet", type=_PATH, help="WordNet's folder.")
@click.option("--out", type=click.Path(path_type=Path), required=True)
def main(furniture_folder: Path | None, glb: Path | None, wordnet: Path | None, out: Path) -> None:
    """Run from the command line."""
    meanings = Meanings(wordnet)
    known = meanings.has
    meshes: list[tuple[str, Mesh]] = []
    sources: list[Iterator[tuple[str, Any]]] = []
    if furniture_folder:
        sources += [furniture(path, known) for path in sorted(furniture_folder.glob("*.sh3f"))]
    if glb:
        sources.append(glb_files(glb, known))
    for source in sources:
        for noun, scene in source:
            mesh = simplified(scene)
            if mesh is not None:
                meshes.append((noun, mesh))
        click.echo(f"{len(meshes)} meshes, {len({name for name, _ in meshes})} names")
    save_meshes(meshes, out)


if __name__ == "__main__":
    main()
