"""A policy has no clock and no randomness: the same input always has the same answer. Python would go on with a clock and
random numbers that stand still since the build, without a word. Here a call says what is missing, during the build already
if `policy.py` makes it when it is imported."""

import builtins
import datetime
import os
import random
import time

NO_CLOCK = "a policy has no clock. Time is an input: `task.now` of a grayscale policy, the windows of a guard."
NO_FILES = "a policy has no files. An auditor reads the package: `subject.read(path, offset, length)`."
NO_OUTPUT = "a policy has no output but its log: `wit_world.imports.log.write`."
NO_CHANCE = "a policy has no randomness. Decide by what it is given, such as a hash of `device.guid`."


def refuse(module, names, why):
    for name in names:
        if hasattr(module, name):
            setattr(module, name, refusal(f"{module.__name__}.{name}", why))


def refusal(what, why):
    def refused(*given, **named):
        raise RuntimeError(f"{what} was called, and {why}")

    return refused


refuse(time, ["time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"], NO_CLOCK)
refuse(time, ["sleep", "localtime", "ctime"], NO_CLOCK)
refuse(builtins, ["open"], NO_FILES)
refuse(builtins, ["print"], NO_OUTPUT)
refuse(os, ["urandom", "getrandom"], NO_CHANCE)
# A generator of one's own with a seed, `random.Random(seed)`, is no chance and stays.
refuse(random, ["random", "randint", "randrange", "choice", "choices", "sample", "shuffle", "uniform"], NO_CHANCE)


class WithoutClock(datetime.datetime):
    now = utcnow = today = refusal("the clock of datetime", NO_CLOCK)


datetime.datetime = WithoutClock
