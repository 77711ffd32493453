"""A mirror that drips is given up after a while, however it does it."""

import socket
import threading
import time

import pytest

from stepconv.errors import DataError
from stepconv.train.data import known


@pytest.mark.parametrize("slow", ["head", "body", "nothing"])
def test_a_mirror_that_drips_is_given_up(slow: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "SECONDS_OF_GRACE", 0.3)
    listening = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listening.getsockname()[1]}/file.gz"

    def serve() -> None:
        with listening, listening.accept()[0] as client:
            client.recv(1000)
            head = b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n"
            sent = {"head": head, "body": head + b"\r\n", "nothing": b""}[slow]
            client.sendall(sent)
            try:
                while slow != "nothing":
                    client.sendall(b"x")
                    time.sleep(0.05)
                client.recv(1000)
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(DataError, match="bytes in"):
        known._fetch(address, known._silent)
    assert time.monotonic() - begun < 60
