"""What a policy calls of the host. The interpreter stops without a word at an argument that it cannot hand over, and the
host's own error of a read does not know the name of the file."""

import functools
import inspect

from berth_shape import shown, text, variant, whole_number
from componentize_py_types import Err
from wit_world.imports import log


class ReadError(Err):
    """What `subject.read` raises, with the name of the file."""

    def __init__(self, value, path):
        super().__init__(value)
        told = f"{variant(value)}: {path}"
        if hasattr(value, "value"):
            told += f", one read gives at most {value.value} bytes"
        object.__setattr__(self, "told", told)


def taking(call, **checks):
    """The function of the host, with a check for each of its arguments."""
    signature = inspect.signature(call)

    @functools.wraps(call)
    def checked(*given, **named):
        arguments = signature.bind(*given, **named).arguments
        for name, fits in checks.items():
            if must := fits(arguments[name]):
                raise TypeError(f"{call.__name__}() was given {shown(arguments[name])} as {name}, which must be {must}")
        return call(*arguments.values())

    return checked


def naming_what_is_read(read):
    @functools.wraps(read)
    def named(subject, path, offset, length):
        try:
            return read(subject, path, offset, length)
        except Err as error:
            raise ReadError(error.value, path) from None

    return named


def level(value):
    if not isinstance(value, log.Level):
        return "Level.DEBUG, Level.INFO or Level.WARN"


log.write = taking(log.write, level=level, message=text)
try:
    from wit_world.imports import contents
except ImportError:
    pass  # only auditors read packages
else:
    read = taking(contents.Archive.read, path=text, offset=whole_number(64), length=whole_number(32))
    contents.Archive.read = naming_what_is_read(read)
try:
    from wit_world.imports import cohort
except ImportError:
    pass  # only grayscale policies ask for lists
else:
    cohort.contains = taking(cohort.contains, id=text, key=text)
