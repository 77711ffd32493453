"""What the `stepconv` command and `python -m stepconv` begin with: Ctrl-C ends them in any case."""

import signal
import sys

_INTERRUPTED = 130


def main() -> int:
    """Run the command line; the time that imports take may be interrupted, too."""
    try:
        from stepconv.cli import main as run

        return run()
    except KeyboardInterrupt:
        print("stepconv: interrupted", file=sys.stderr)
        return _INTERRUPTED
    finally:
        # What is left to do is Python's: nothing there has a line for it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    sys.exit(main())
