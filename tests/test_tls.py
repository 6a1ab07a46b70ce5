"""Streams over TLS: dv-processing's own server, and servers that are not who they should be."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes import wait_for
from making import SIZE, dv_recording, join, make_events, same, start_server
from readers import DvReader, Taking
from serving import LONG_S, free_port

from neuroclip_drivers.aedat4.format import MAGIC, parse_header
from neuroclip_drivers.network.event_server import EventServer
from neuroclip_drivers.network.listening import Address, listen
from neuroclip_drivers.network.source import NetworkSource
from neuroclip_drivers.network.tls import Tls
from neuroclip_drivers.source import SourceState
from neuroclip_live.config import Config
from neuroclip_live.errors import UserError
from neuroclip_live.events import Packet
from neuroclip_live.session import source_spec

COUNT = 1000


class Certificates:
    """An authority, those it signed for, and somebody it did not sign for; made once for all tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sign_itself("authority")
        self._sign_itself("stranger")
        self._sign("server", "subjectAltName=DNS:localhost,IP:127.0.0.1")
        self._sign("named", "subjectAltName=DNS:camera-7")
        self._sign("client", "extendedKeyUsage=clientAuth")
        for name in ("server", "client"):
            whole = self.pem(name).read_text() + self.key(name).read_text()
            (folder / f"{name}_both.pem").write_text(whole)
        self._openssl("pkey", "-in", self.key("client"), "-aes256", "-passout", "pass:x", "-out", self.locked)

    @property
    def locked(self) -> Path:
        return self.folder / "locked.key"

    def pem(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def key(self, name: str) -> Path:
        return self.folder / f"{name}.key"

    def tls(
        self, authority: str | None = "authority", client: str = "client", name: str | None = None
    ) -> Tls:
        return Tls(
            None if authority is None else str(self.pem(authority)),
            str(self.pem(client)),
            str(self.key(client)),
            name,
        )

    def _sign_itself(self, name: str) -> None:
        self._request(name, "-x509", "-days", "2", "-out", self.pem(name))

    def _sign(self, name: str, extension: str) -> None:
        request, extensions = self.folder / f"{name}.csr", self.folder / f"{name}.ext"
        extensions.write_text(extension + "\n")
        self._request(name, "-out", request)
        self._openssl(
            *("x509", "-req", "-in", request, "-days", "2", "-extfile", extensions),
            *("-CA", self.pem("authority"), "-CAkey", self.key("authority"), "-CAcreateserial"),
            *("-out", self.pem(name)),
        )

    def _request(self, name: str, *more: str | Path) -> None:
        self._openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-keyout", self.key(name), "-subj", f"/CN={name}", *more),
        )

    def _openssl(self, *arguments: str | Path) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=300)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make certificates with")
    return Certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def events() -> Packet:
    return make_events(COUNT)


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory, events: Packet) -> bytes:
    data = dv_recording(tmp_path_factory.mktemp("stream") / "a.aedat4", events).read_bytes()
    return data[len(MAGIC) : parse_header(data).index_position]


class TlsServer:
    """A server of Python's own: sends ``data`` over TLS to each client in turn, then waits or hangs up."""

    def __init__(self, certificates: Certificates, who: str, data: bytes, hold: bool = True) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificates.pem(who), certificates.key(who))
        self._context.load_verify_locations(certificates.pem("authority"))
        self._context.verify_mode = ssl.CERT_REQUIRED
        self._data, self._hold = data, hold
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(plain)
            try:
                plain.settimeout(LONG_S)
                secured = self._context.wrap_socket(plain, server_side=True)
                self._connections.append(secured)
                secured.sendall(self._data)
            except OSError:
                continue
            if not self._hold:
                secured.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._connections:
            connection.close()
        self._thread.join(LONG_S)


@pytest.fixture
def serve(certificates: Certificates, stream: bytes) -> Iterator[Callable[..., TlsServer]]:
    servers: list[TlsServer] = []

    def start(who: str = "server", hold: bool = True) -> TlsServer:
        servers.append(TlsServer(certificates, who, stream, hold))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


def take(source: NetworkSource, count: int) -> Packet:
    parts: list[Packet] = []
    for packet in source.packets():
        parts.append(packet)
        if sum(map(len, parts)) >= count:
            break
    return join(parts)


def connect(address: str, tls: Tls | None) -> NetworkSource:
    return NetworkSource(address, answer_s=LONG_S, tls=tls)


def refused(address: str, tls: Tls | None, words: str) -> None:
    with pytest.raises(UserError, match=words) as caught:
        connect(address, tls)
    assert "\n" not in str(caught.value)


def test_dv_processings_own_server(certificates: Certificates, tmp_path: Path, events: Packet) -> None:
    port = free_port()
    files = (certificates.pem("server"), certificates.key("server"), certificates.pem("authority"))
    server = start_server(str(port), dv_recording(tmp_path / "a.aedat4", events), tls=files)
    try:
        refused(f"127.0.0.1:{port}", certificates.tls(authority="stranger"), "does not prove who it is")
        refused(
            f"127.0.0.1:{port}", Tls(str(certificates.pem("authority"))), "refuses this side's certificate"
        )
        source = connect(f"localhost:{port}", certificates.tls())
        assert same(take(source, COUNT), events)
        source.close()
    finally:
        server.kill()
        server.wait()


def test_key_and_certificate_in_one_file(
    serve: Callable[..., TlsServer], certificates: Certificates, events: Packet
) -> None:
    both = Tls(str(certificates.pem("authority")), str(certificates.folder / "client_both.pem"))
    source = connect(serve().address, both)
    assert same(take(source, COUNT), events)
    source.close()


def test_a_server_that_hangs_up_is_dialled_again_with_tls(
    serve: Callable[..., TlsServer], certificates: Certificates, events: Packet
) -> None:
    source = connect(serve(hold=False).address, certificates.tls())
    assert same(take(source, 2 * COUNT), join([events, events]))
    source.close()
    assert source.status().state is SourceState.ENDED


def test_a_stranger_is_not_believed(serve: Callable[..., TlsServer], certificates: Certificates) -> None:
    address = serve("stranger").address
    refused(address, certificates.tls(), "does not prove who it is.*--tls-ca")
    refused(address, certificates.tls(authority=None), "does not prove who it is")  # nor by the system


def test_the_name_in_the_certificate(
    serve: Callable[..., TlsServer], certificates: Certificates, events: Packet
) -> None:
    address = serve("named").address
    refused(address, certificates.tls(), "does not prove who it is.*--tls-name")
    refused(address, certificates.tls(name="camera-8"), "does not prove who it is")
    source = connect(address, certificates.tls(name="camera-7"))
    assert same(take(source, COUNT), events)
    source.close()


def test_a_server_that_does_not_know_us(certificates: Certificates, serve: Callable[..., TlsServer]) -> None:
    # with TLS 1.3 the refusal comes after the greeting, in place of the header
    refused(
        serve().address, certificates.tls(client="stranger"), "refuses this side's certificate.*--tls-cert"
    )


def test_a_server_without_tls_and_one_that_says_nothing(certificates: Certificates, stream: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"127.0.0.1:{listener.getsockname()[1]}"

        def answer() -> None:
            connection, _ = listener.accept()
            connection.sendall(stream)
            connection.recv(1 << 16)
            connection.close()

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        refused(address, certificates.tls(), "does not speak TLS")
        thread.join(LONG_S)
        with pytest.raises(UserError, match="no answer to the greeting of TLS"):
            NetworkSource(address, answer_s=0.2, tls=certificates.tls())
        with pytest.raises(UserError, match="as a server of TLS does"):
            NetworkSource(address, answer_s=0.2)


def test_files_that_cannot_be_used(certificates: Certificates, tmp_path: Path) -> None:
    client, key = str(certificates.pem("client")), str(certificates.key("client"))
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for tls, words in (
        (Tls(certificate=str(tmp_path / "none.pem")), "--tls-cert .*no such file"),
        (Tls(authority=str(tmp_path)), "--tls-ca .*no such file"),
        (Tls(authority=str(nonsense)), "--tls-ca .*no certificate"),
        (Tls(certificate=str(nonsense), key=key), "cannot be used"),
        (Tls(certificate=client, key=str(certificates.key("server"))), "is not the key of"),
        (Tls(certificate=client, key=str(certificates.locked)), "locked with a password"),
        (Tls(certificate=client), "cannot be used"),  # no key in it
        (Tls(key=key), "belongs to a certificate"),
    ):
        refused("127.0.0.1:1", tls, words)
    refused("/tmp/socket", certificates.tls(), "needs no TLS")


def test_our_own_server_gives_events_to_those_it_can_believe(
    certificates: Certificates, events: Packet
) -> None:
    mine = str(certificates.pem("server")), str(certificates.key("server"))
    context = Tls(str(certificates.pem("authority")), *mine).server_context()
    listener, address = listen(Address("127.0.0.1", 0))
    server = EventServer(listener, context)
    give = server.begin(SIZE, "camera")
    dvs = ours = None
    try:
        for client in ("stranger", None):
            shown = (None, None) if client is None else (certificates.pem(client), certificates.key(client))
            tls = Tls(str(certificates.pem("authority")), *(str(file) if file else None for file in shown))
            refused(f"localhost:{address.port}", tls, "refuses this side's certificate")
        with pytest.raises(UserError, match=r"as a server of TLS does"):
            NetworkSource(f"localhost:{address.port}", answer_s=0.5)  # without TLS
        assert server.status().readers == 0
        dvs = DvReader(address.port, COUNT, certificates.pem("client"), certificates.key("client"))
        ours = Taking(address.port, certificates.tls())
        wait_for(lambda: server.status().readers == 2)
        assert dvs.line()[0] == "camera"
        for start in range(0, COUNT, 100):
            give(events[start : start + 100].copy())
        wait_for(lambda: ours.count == COUNT)
        assert same(ours.close(), events)
        assert dvs.line()[0] == str(COUNT)
        assert server.status().lost == 0
    finally:
        if dvs is not None:
            dvs.close()
        if ours is not None:
            ours.close()
        assert server.close(LONG_S)


def test_files_that_a_server_cannot_use(certificates: Certificates, tmp_path: Path) -> None:
    ca, cert, key = (
        str(certificates.pem("authority")),
        str(certificates.pem("server")),
        str(certificates.key("server")),
    )
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("no certificate")
    for files, words in (
        ((ca, None, None), "--serve-cert, and the authority .* --serve-ca"),
        ((None, cert, key), "--serve-ca"),
        ((ca, None, key), "--serve-key .* belongs to a certificate"),
        ((str(nonsense), cert, key), "--serve-ca .*no certificate"),
        ((ca, str(nonsense), key), "--serve-cert .*cannot be used"),
        ((ca, cert, str(tmp_path / "none")), "--serve-key .*no such file"),
    ):
        with pytest.raises(UserError, match=words):
            Tls(*files, option="--serve-").server_context()


def test_options() -> None:
    spec = source_spec(Config(connect="camera:7777", tls_ca="a", tls_cert="b", tls_key="c", tls_name="d"))
    assert spec.tls == Tls("a", "b", "c", "d")
    assert source_spec(Config(connect="camera:7777")).tls is None
    with pytest.raises(UserError, match="--connect"):
        source_spec(Config(replay="a.aedat4", tls_cert="b"))
