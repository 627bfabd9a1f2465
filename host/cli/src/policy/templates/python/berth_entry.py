"""Where the build begins; `policy.py` is yours. What it raises and does not catch ends the evaluation, and the host is
told what it was and where."""

import functools

import berth_ambient
import policy
from componentize_py_types import Err
from wit_world.imports import log


def guarded(run):
    """Err is the policy's own answer, "I could not judge"; any other exception is a fault of the policy."""

    @functools.wraps(run)
    def told(*given):
        try:
            return run(*given)
        except Err:
            raise
        except Exception as error:
            log.fatal(f"{type(error).__name__}: {error} ({place(error.__traceback__)})")
            raise

    return told


def place(at):
    # A refusal of berth_ambient is the fault of the line that called it.
    while at.tb_next and not at.tb_next.tb_frame.f_code.co_filename.endswith("berth_ambient.py"):
        at = at.tb_next
    code = at.tb_frame.f_code
    return f"{code.co_filename.rpartition('/')[2]}:{at.tb_lineno}, in {code.co_name}"


class About(policy.About):
    describe = guarded(policy.About.describe)


class Configure(policy.Configure):
    configure = guarded(policy.Configure.configure)


class {{Interface}}(policy.{{Interface}}):
    {{function}} = guarded(policy.{{Interface}}.{{function}})
