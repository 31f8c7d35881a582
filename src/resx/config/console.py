"""Log lines on standard output: above a bar that is there, and silent once the reader has left."""

import logging
import sys
from contextlib import nullcontext
from typing import TextIO

from resx.interruption import ask_to_stop, discard_output


class Console(logging.StreamHandler[TextIO]):
    """The handler of conf/hydra/job_logging."""

    def emit(self, record: logging.LogRecord) -> None:
        bars = sys.modules.get("tqdm")  # whoever draws one has imported it
        with bars.tqdm.external_write_mode(self.stream) if bars else nullcontext():
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            discard_output()
            ask_to_stop("SIGPIPE")
        else:
            super().handleError(record)
