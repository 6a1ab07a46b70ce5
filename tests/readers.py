"""Those who read a server of events: our own source, and dv-processing's in another process."""

from __future__ import annotations

import subprocess
import sys
import threading

from making import join
from serving import LONG_S

from neuroclip_drivers.network.source import NetworkSource
from neuroclip_drivers.network.tls import Tls
from neuroclip_live.events import Packet

DV_READER = """
import sys
import numpy as np
import dv_processing as dv
port, count = int(sys.argv[1]), int(sys.argv[2])
reader = dv.io.NetworkReader("127.0.0.1", port, *map(dv.Path, sys.argv[3:]))
print(reader.getCameraName(), *reader.getEventResolution(), flush=True)
got, times, xs = 0, 0, 0
while got < count and reader.isRunning():
    store = reader.getNextEventBatch()
    if store is not None:
        events = store.numpy()
        times, xs = times + int((events["timestamp"] % 1_000_000).sum()), xs + int(events["x"].sum())
        got += len(events)
print(got, times, xs, flush=True)
"""


class DvReader:
    """dv-processing's own reader in another process: it hangs for good on a server that is silent."""

    def __init__(self, port: int, count: int, *tls: object) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", DV_READER, str(port), str(count), *map(str, tls)],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._end = threading.Timer(LONG_S, self._process.kill)
        self._end.start()

    def line(self) -> list[str]:
        assert self._process.stdout is not None
        return self._process.stdout.readline().split()

    def close(self) -> None:
        self._end.cancel()
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


class Taking:
    """Our own source, read in a thread."""

    def __init__(self, port: int, tls: Tls | None = None) -> None:
        self.source = NetworkSource(f"localhost:{port}", answer_s=LONG_S, tls=tls)
        self.packets: list[Packet] = []
        self.count = 0
        self._thread = threading.Thread(target=self._take, daemon=True)
        self._thread.start()

    def _take(self) -> None:
        for packet in self.source.packets():
            if len(packet):
                self.packets.append(packet)
                self.count += len(packet)

    def close(self) -> Packet:
        self.source.close()
        self._thread.join(LONG_S)
        return join(self.packets)
