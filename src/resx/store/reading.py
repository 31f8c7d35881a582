"""Reading what may have been damaged: regular files of a sane size, and their checksums."""

import json
import stat
import zlib
from pathlib import Path
from typing import Any

from resx.errors import DamagedError

CHECKSUM = "checksum"  # in a sealed file: of all else in it
LARGEST = 512 * 2**20  # bytes; the records of ten million steps


def read_file(path: Path) -> bytes:
    """The content. Raises `DamagedError` for whatever is no file that can be read.

    A named pipe would be waited for, and a folder or a loop of links is an error of its own kind.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "no regular file"
            raise DamagedError(path, f"is {what}")
        if found.st_size > LARGEST:
            raise DamagedError(path, f"is damaged: {found.st_size} bytes, more than resx writes")
        return path.read_bytes()
    except FileNotFoundError as error:
        raise DamagedError(path, "is missing") from error
    except OSError as error:
        raise DamagedError(path, f"cannot be read ({error.strerror})") from error


def checksum(content: bytes) -> str:
    """Eight hex digits: CRC-32, as the entries of a checkpoint have."""
    return f"{zlib.crc32(content):08x}"


def sealed(values: dict[str, Any]) -> str:
    """JSON text with a checksum of its own."""
    return json.dumps(values | {CHECKSUM: _seal(values)}, indent=1) + "\n"


def unsealed(content: bytes | str) -> dict[str, Any]:
    """The values again; early versions wrote no checksum.

    Raises `ValueError` for what is no JSON object and for a wrong checksum, RecursionError for
    what is nested too deeply.
    """
    values = json.loads(content)
    if not isinstance(values, dict):
        raise ValueError("no JSON object")
    if values.pop(CHECKSUM, None) not in (None, _seal(values)):
        raise ValueError("its checksum is wrong")
    return values


def _seal(values: dict[str, Any]) -> str:
    return checksum(json.dumps(values, sort_keys=True).encode())
