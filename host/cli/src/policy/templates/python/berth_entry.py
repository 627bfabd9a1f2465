"""Where the build begins; `policy.py` is yours. What it raises and does not catch, or returns and no host can read, ends
the evaluation, and the host is told what it was and where."""

import functools
import os.path

import berth_ambient
import berth_host
import berth_shape
import policy
from componentize_py_types import Err
from wit_world.imports import log


def guarded(run, takes_text=True):
    """Err with a text is the policy's own answer, "I could not judge", where the function has one; all else that is
    raised is a fault of the policy, SystemExit and KeyboardInterrupt too."""

    @functools.wraps(run)
    def told(*given):
        berth_ambient.begin_to_answer()
        try:
            answer = run(*given)
        except BaseException as error:
            if takes_text and isinstance(error, Err) and berth_shape.text(error.value) is None:
                raise
            fatal(f"{what(error, run.__name__)} ({place(error.__traceback__)})")
        berth_ambient.end_lines()
        if wrong := berth_shape.fault(run.__name__, answer):
            fatal(f"{run.__name__}() returned {wrong}.")
        return answer

    return told


def fatal(message):
    berth_ambient.end_lines()
    log.fatal(berth_ambient.encodable(message))


def what(error, function):
    if isinstance(error, berth_host.ReadError):
        return error.told
    if isinstance(error, Err):
        value = berth_shape.shown(error.value)
        if function == "describe":
            return f"{function}() raised Err({value}), and has no errors of its own"
        return f"{function}() raised Err({value}), and what Err holds must be a text"
    told = str(error)
    return f"{type(error).__name__}: {told}" if told else type(error).__name__


YOURS = os.path.dirname(policy.__file__) + "/"
NOT_YOURS = ("berth_", "wit_world/", "componentize_py_", ".venv/", "venv/")


def is_yours(code):
    name = code.co_filename
    return name.startswith(YOURS) and not name.removeprefix(YOURS).startswith(NOT_YOURS)


def place(at):
    """The deepest line of yours, and the function of a library that it called, if the fault is further down."""
    frames = []
    while at:
        frames.append((at.tb_frame, at.tb_lineno))
        at = at.tb_next
    own = [index for index, (frame, _) in enumerate(frames) if is_yours(frame.f_code)]
    if not own:
        return "before policy.py was called"
    (frame, line), below = frames[own[-1]], frames[own[-1] + 1 :]
    place = f"{frame.f_code.co_filename.removeprefix(YOURS)}:{line}, in {frame.f_code.co_name}"
    called = below[0][0] if below else None
    if called is None or called.f_code.co_filename.rpartition("/")[2].startswith("berth_"):
        return place
    return f"{place}, which called {called.f_globals.get('__name__')}.{called.f_code.co_qualname}"


class About(policy.About):
    describe = guarded(policy.About.describe, takes_text=False)


class Configure(policy.Configure):
    configure = guarded(policy.Configure.configure)


class {{Interface}}(policy.{{Interface}}):
    {{function}} = guarded(policy.{{Interface}}.{{function}})
