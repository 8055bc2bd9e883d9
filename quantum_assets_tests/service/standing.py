"""One sidecar a test process, started when it is first asked for and ended with the process."""

import atexit
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from quantum_assets.service.server import Settings, running


@cache
def standing() -> str:
    """Its URL; jobs do not wait in its queue, and faults may be asked for."""
    stack = ExitStack()
    home = stack.enter_context(TemporaryDirectory())
    atexit.register(stack.close)  # after the directory's own clean-up was registered, so that it runs before it
    return stack.enter_context(running(Settings(Path(home), rehearsal=True)))
