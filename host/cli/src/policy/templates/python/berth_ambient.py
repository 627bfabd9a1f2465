"""A policy has no clock and no randomness: the same input always has the same answer. Python would go on with a clock and
random numbers that stand still since the build, without a word, and would stop without a word at files and the network.
Here a call says what is missing. Clock and randomness are refused during the build already, if `policy.py` asks for them
when it is imported; files are there until the build is done."""

import _io
import _socket
import _strptime  # noqa: F401  (strptime would import it at its first call)
import builtins
import codecs
import datetime
import errno
import functools
import io
import logging
import os
import random
import select
import socket
import sys
import time
import traceback  # noqa: F401  (imports much of itself late, too)
import types
import uuid

from wit_world.imports import log

NO_CLOCK = "a policy has no clock. Time is an input: `task.now` of a grayscale policy, the windows of a guard."
NO_FILES = "a policy has no files and no system around it. An auditor reads the package: `subject.read(path, offset, length)`."
NO_NETWORK = "a policy has no network. What it needs to know is in its input and its config."
NO_WAITING = "a policy has nothing to wait for: no clock, no files, no network. Call plain functions, without async and await."
NO_CHANCE = "a policy has no randomness. Decide by what it is given, such as a hash of `device.guid`."
NO_SEED = f"{NO_CHANCE} A generator with a seed of your own, random.Random(seed), is none and may be used."
NO_IMPORT = "the build took only what was imported at its start. Import it at the top of policy.py."


class NoFile(FileNotFoundError):
    """Who looks for a file that may be absent goes on as where there is none."""

    errno = errno.ENOENT


def refusal(what, why, error=RuntimeError):
    def refused(*given, **named):
        raise error(f"{what} was called, and {why}")

    return refused


def refuse(module, names, why, error=RuntimeError):
    for name in names:
        setattr(module, name, refusal(f"{module.__name__}.{name}".removeprefix("builtins."), why, error))


def compiled(module, of):
    """The names of the functions in a module that are those of a compiled one: what reaches the system."""
    return [n for n, it in vars(module).items() if type(it) is types.BuiltinFunctionType and it.__module__ == of]


def refuse_unless_given(module, name, position, why):
    """Refuses a function that asks the clock when it is not given a time."""
    run = getattr(module, name)
    refused = refusal(f"{module.__name__}.{name} without a time", why)

    @functools.wraps(run)
    def checked(*given):
        return refused() if len(given) <= position or given[position] is None else run(*given)

    setattr(module, name, checked)


# Lines of the log have no time of their own, and `logging` needs one for each.
logging.time = types.SimpleNamespace(**vars(time) | {"time": lambda: 0.0, "time_ns": lambda: 0})

# The clock. What makes a text or a number of a time that it is given stays.
OF_A_TIME = {"localtime": 0, "gmtime": 0, "ctime": 0, "asctime": 0, "strftime": 1}
OF_NO_CLOCK = {"mktime", "strptime", "tzset", *OF_A_TIME}
refuse(time, [name for name in compiled(time, "time") if name not in OF_NO_CLOCK], NO_CLOCK)
for name, position in OF_A_TIME.items():
    refuse_unless_given(time, name, position, NO_CLOCK)


class WithoutClock(datetime.datetime):
    now = utcnow = today = refusal("the clock of datetime", NO_CLOCK)


WithoutClock.__name__ = WithoutClock.__qualname__ = "datetime"
WithoutClock.__module__ = "datetime"
datetime.datetime = WithoutClock

# Chance: the system's, and every function of `random` that draws from the generator that nobody gave a seed.
refuse(os, [name for name in ("urandom", "getrandom") if hasattr(os, name)], NO_CHANCE)
refuse(random, [n for n, it in vars(random).items() if getattr(it, "__self__", None) is random._inst], NO_SEED)
for name in ("random", "getrandbits", "randbytes"):
    setattr(random.SystemRandom, name, refusal(f"random.SystemRandom.{name}", NO_CHANCE))
refuse(uuid, ["uuid1", "uuid4"], NO_CHANCE)


def with_a_seed(seed):
    @functools.wraps(seed)
    def seeded(self, a=None, *more, **named):
        return refusal("random.Random() without a seed", NO_SEED)() if a is None else seed(self, a, *more, **named)

    return seeded


random.Random.seed = with_a_seed(random.Random.seed)

# The network.
OF_NO_NETWORK = {"htons", "htonl", "ntohs", "ntohl", "inet_aton", "inet_ntoa", "inet_pton", "inet_ntop"}
OF_NO_NETWORK |= {"CMSG_LEN", "CMSG_SPACE", "getdefaulttimeout", "setdefaulttimeout"}
reaching = [name for name in compiled(_socket, "_socket") if name not in OF_NO_NETWORK]
refuse(socket, [name for name in reaching if hasattr(socket, name)], NO_NETWORK)
refuse(_socket, reaching, NO_NETWORK)
socket.socket.__init__ = refusal("socket.socket", NO_NETWORK)


def refuse_system():
    refuse(select, compiled(select, "select"), NO_NETWORK)  # other modules try these when they are imported
    pure = {"fspath", "strerror", "getpid", "getcwd", "getcwdb", "putenv", "unsetenv", "waitstatus_to_exitcode"}
    names = [name for name in compiled(os, os.stat.__module__) if name not in pure and not name.startswith("W")]
    # Python's own modules, such as those that import and print tracebacks, have these from the compiled modules.
    for module in (os, sys.modules[os.stat.__module__]):
        refuse(module, names, NO_FILES, NoFile)
    for module in (io, _io):
        refuse(module, ["open", "open_code", "FileIO"], NO_FILES, NoFile)
    refuse(builtins, ["open", "input"], NO_FILES, NoFile)


def refuse_waiting():
    """Refuses event loops, which ask the clock first of all. Only a policy that imported asyncio has them."""
    if loops := sys.modules.get("asyncio.base_events"):
        loops.BaseEventLoop.__new__ = refusal("asyncio's event loop", NO_WAITING)


class NotBuiltIn:
    """Refuses to import what the build did not take in, which would be read from files."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        raise ModuleNotFoundError(f"{name} was imported while the policy answered, and {NO_IMPORT}", name=name)


class Log(io.TextIOBase):
    """Where `print` and all else that writes to stdout and stderr goes: the policy's log, line by line. There is no host,
    and so no log, while the build imports `policy.py`."""

    answering = False

    def __init__(self, level, while_building):
        self.level, self.while_building, self.begun = level, while_building, ""

    def writable(self):
        return True

    def write(self, text):
        if not Log.answering:
            return self.while_building.write(text)
        *lines, self.begun = (self.begun + text).split("\n")
        for line in lines:
            log.write(self.level, encodable(line))
        return len(text)

    def finish(self):
        if self.begun:
            self.write("\n")


def encodable(text):
    return text.encode("utf-8", "replace").decode()


OUT, ERR = Log(log.Level.DEBUG, sys.stdout), Log(log.Level.WARN, sys.stderr)
sys.stdout, sys.stderr = OUT, ERR

# Encodings are modules that are imported when they are first used.
for encoding in "ascii latin-1 utf-8-sig utf-16 utf-16-le utf-16-be cp1252 gbk gb18030 big5 shift_jis idna".split():
    codecs.lookup(encoding)


@functools.cache
def begin_to_answer():
    """The build is done: from here on there are no files, and there is a log."""
    refuse_system()
    refuse_waiting()
    is_of_files = lambda finder: getattr(finder, "__name__", "") == "PathFinder"
    sys.meta_path[:] = [*(finder for finder in sys.meta_path if not is_of_files(finder)), NotBuiltIn]
    sys.stdin = None
    Log.answering = True


def end_lines():
    """Writes what was printed without an end of the line."""
    OUT.finish()
    ERR.finish()
