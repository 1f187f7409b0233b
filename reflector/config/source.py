"""Reads a configuration file's text, whatever the path turns out to be."""

import os
import stat
from pathlib import Path
from typing import Final

from reflector.config.errors import ConfigError, Finding

# A configuration is a page, one of ten thousand neighbors a megabyte; beyond this it is some other
# file, or a device that never ends.
_MAX_BYTES: Final = 4 << 20


def read_text(path: Path) -> str:
    """Read a file.

    Raises:
        ConfigError: It is missing, unreadable, too large, or not UTF-8 text.
    """
    name = str(path)
    try:
        # A pipe that nobody writes must not hold up the sessions when it is read for a reload.
        with open(path, "rb", opener=_open_at_once) as file:
            os.set_blocking(file.fileno(), True)
            content = file.read(_MAX_BYTES + 1)
            pipe = stat.S_ISFIFO(os.fstat(file.fileno()).st_mode)
    except IsADirectoryError as error:
        raise only(name, "is a directory: name the file in it") from error
    except OSError as error:
        raise only(name, f"can't be read: {error.strerror}") from error
    if pipe and not content:
        # An empty file means the defaults; a pipe that has been read says nothing.
        raise only(name, "is a pipe with nothing in it: it can be read once, so name a file")
    if len(content) > _MAX_BYTES:
        raise only(name, f"is larger than {_MAX_BYTES >> 20} MiB: this is no configuration")
    return decode(content, name)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK)


def decode(content: bytes, name: str) -> str:
    """Make text of a file's content.

    Args:
        content: UTF-8, with or without a byte order mark.
        name: Of the file, for messages.

    Raises:
        ConfigError: It is not UTF-8, or holds NUL bytes.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Finding(name, line, 0, "", "the file is not UTF-8 text")]) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigError([Finding(name, line, 0, "", "the file holds a NUL byte: it is no text")])
    return text


def only(name: str, what: str) -> ConfigError:
    """The error of a file as a whole."""
    return ConfigError([Finding(name, 0, 0, "", what)])
