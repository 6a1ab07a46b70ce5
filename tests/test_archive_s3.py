"""An archive in a bucket, by an S3 server in the test's own process."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from neuroclip_live.archive.store import Store
from neuroclip_live.cli.main import main
from neuroclip_live.recording.convert import convert

pytest.importorskip("pyarrow")
SERVER = pytest.importorskip("moto.server", reason='moto is not installed: pip install "moto[server]"')
pytest.importorskip("s3fs", reason="s3fs is not installed: pip install s3fs")

DOG = Path(__file__).resolve().parents[1] / "recordings" / "dog.aedat4"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A bucket that is there as long as the test."""
    import s3fs

    server = SERVER.ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    s3fs.S3FileSystem.clear_instance_cache()
    s3fs.S3FileSystem().mkdir("recordings-of-a-lab")
    yield "s3://recordings-of-a-lab/index"
    s3fs.S3FileSystem.clear_instance_cache()
    server.stop()


def test_an_index_in_a_bucket(bucket: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["search", bucket, "a dog"]) == 2
    assert "holds no index" in capsys.readouterr().err
    assert main(["search", "s3://no-such-bucket/index", "a dog"]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

    folder = tmp_path / "in"
    folder.mkdir()
    convert([DOG], folder / "a.aedat4", end_s=0.7)
    line = ["index", str(folder), "--into", bucket]
    assert main(line) == 0
    assert "1 encoded" in capsys.readouterr().out
    convert([DOG], folder / "b.aedat4", start_s=0.7, end_s=1.4)
    (folder / "a.aedat4").rename(folder / "c.aedat4")
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "1 encoded" in told
    assert "1 moved" in told
    assert "1 deleted" in told

    assert main(["search", bucket, "a dog", "--least", "0", "--json"]) == 0
    moments = json.loads(capsys.readouterr().out)
    assert {Path(moment["file"]).name for moment in moments} == {"b.aedat4", "c.aedat4"}
    (key,) = {name.removesuffix(".json") for name in Store(bucket).names("models")}
    assert len(Store(bucket).names(f"parts/{key}")) == 2
