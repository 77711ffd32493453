"""The door between an app and its terminal: whatever comes in, and however it ends, order is kept.

Textual's own thread for keys dies of bytes that are no UTF-8 and of some sequences of mouse and
keyboard that no terminal should send; then nothing is heard any more, not even the key that leaves.
Here what nobody understands is passed by.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import os
import selectors
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from textual.app import App, ComposeResult, ReturnType

from stepconv.player.stage import Stage, without_colours

if TYPE_CHECKING:
    from textual.driver import Driver

# What a shell reports for a program that a signal ended: 128 and the signal's number.
_SIGNALLED = 128
# What ends a process that does not listen: here it leaves in order.
ENDING = ("SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGALRM")


class Guarded(App[ReturnType]):
    """An app of one stage that survives its input, and gives the terminal back when it has to end.

    Whoever derives from it makes the stage.
    """

    ENABLE_COMMAND_PALETTE = False
    AUTO_FOCUS = ""
    TITLE = "stepconv"
    CSS = "Stage { width: 1fr; height: 1fr; }"
    stage: Stage

    def __init__(self) -> None:
        super().__init__(driver_class=_driver(), ansi_color=without_colours())

    def compose(self) -> ComposeResult:
        yield self.stage

    def on_mount(self) -> None:
        """Leave in order when the terminal is closed or somebody ends the process."""
        self.stage.redraw()
        for name in ENDING:
            number = getattr(signal, name, None)
            if number is not None:
                # Some systems and threads know no handlers: there the process just ends.
                with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                    loop = asyncio.get_running_loop()
                    loop.add_signal_handler(number, self.exit, None, _SIGNALLED + number)

    def action_light(self) -> None:
        """Change between a light and a dark screen."""
        self.theme = "textual-light" if self.theme == "textual-dark" else "textual-dark"
        self.stage.refresh()

    def run(self, *args: Any, **options: Any) -> ReturnType | None:
        """Run to the end; what a signal has ended ends the process, with a shell's status."""
        result = super().run(*args, **options)
        if (self.return_code or 0) > _SIGNALLED:
            raise SystemExit(self.return_code)
        return result


def understood(parser: Any, text: str) -> Iterator[Any]:
    """Yield the events of a text; the parser is another one after what it could not bear."""
    try:
        yield from parser.feed(text)
    except Exception:  # whatever a stranger's bytes do to it
        parser.__init__()


def _driver() -> type[Driver] | None:
    """Return what reads this system's terminals, or None for Textual's own choice."""
    if sys.platform == "win32" or os.environ.get("TEXTUAL_DRIVER"):
        return None
    from textual._xterm_parser import XTermParser
    from textual.drivers.linux_driver import LinuxDriver

    class Listening(LinuxDriver):
        """Reads keys for as long as there is a terminal."""

        def run_input_thread(self) -> None:
            decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
            parser, terminal = XTermParser(False), os.isatty(self.fileno)
            with selectors.SelectSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                while not self.exit_event.is_set():
                    if selector.select(0.1):
                        try:
                            content = os.read(self.fileno, 4096)
                        except OSError:
                            content, terminal = b"", True
                        if not content and terminal:  # it is gone, with or without a signal
                            self._loop.call_soon_threadsafe(self._app.exit, None, _SIGNALLED + 1)
                            return
                        if not content:
                            time.sleep(0.1)
                        for character in decode(content):
                            self._pass_on(understood(parser, character))
                    self._pass_on(parser.tick())

        def _pass_on(self, events: Iterable[Any]) -> None:
            for event in events:
                with contextlib.suppress(Exception):
                    self.process_message(event)

    return Listening
