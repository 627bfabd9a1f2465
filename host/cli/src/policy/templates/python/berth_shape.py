"""What the functions of a policy return, as `wit/` has it. The interpreter stops without a word at what it cannot read."""

import enum
import re
import types


def is_text(value):
    return isinstance(value, str)


def fault(function, answer):
    """What is wrong with the answer of this function, such as `a finding without message`; None when it is right."""
    if isinstance(answer, types.CoroutineType):
        return "a coroutine: a policy answers at once, so its functions are not async"
    return ANSWERS[function](answer)


def shown(value):
    """A value as people would write it, not longer than a line."""
    try:
        written = repr(value)
    except Exception:
        written = f"a {type(value).__name__}"
    return written if len(written) <= 100 else written[:99] + "…"


def text(value):
    if not is_text(value):
        return "a text"
    try:
        value.encode()
    except UnicodeEncodeError:
        return "a text that can be written as UTF-8"


def whole_number(bits):
    def check(value):
        if not isinstance(value, int) or not 0 <= value < 2**bits:
            return f"a whole number from 0 to {2**bits - 1}"

    return check


number = whole_number(32)


def severity(value):
    if not isinstance(value, enum.Enum) or type(value).__name__ != "Severity":
        return "Severity.NOTE or Severity.WARNING or Severity.ERROR"


def record(kind, required, optional=()):
    """A check of a record: each member has a check that says what it must be, or is a record by itself."""
    noun, optional = kind.lower(), dict(optional)

    def check(value):
        if all(one.__name__ != kind for one in type(value).__mro__):
            return f"{shown(value)} and not a {kind}"
        for name, fits in (required | optional).items():
            held = getattr(value, name, None)
            if held is None:
                if name in required:
                    return f"a {noun} without {name}"
            elif fits is place:
                if wrong := place(held):
                    return f"a {noun} with {wrong}"
            elif must := fits(held):
                return f"a {noun} whose {name} is {shown(held)} and not {must}"

    return check


place = record("Place", {"path": text, "line": number, "column": number})
finding = record("Finding", {"rule": text, "severity": severity, "message": text}, {"place": place, "fix": text})


def findings(values):
    if not isinstance(values, list):
        return f"{shown(values)} and not a list of findings"
    for number, value in enumerate(values, 1):
        if wrong := finding(value):
            return f"{wrong} (number {number} of {len(values)})"


def one_of(noun, **cases):
    """A check of a variant: its cases, and whether each holds the text that says why."""

    def check(value):
        kind = type(value).__name__
        if kind not in cases:
            known = " or ".join(f'{case}("why")' if holds else f"{case}()" for case, holds in cases.items())
            return f"{shown(value)} and not {noun}, which is {known}"
        if cases[kind] and (must := text(value.value)):
            return f"a {kind} that holds {shown(value.value)} and not {must}"

    return check


def nothing(value):
    return None


ANSWERS = {
    "describe": record("Description", {"name": text, "version": text, "summary": text, "config_schema": text}),
    "configure": nothing,
    "audit": findings,
    "decide": one_of("a verdict", Verdict_Admit=False, Verdict_Refuse=True),
    "judge": one_of("an advice", Advice_CarryOn=False, Advice_Suspend=True, Advice_End=True),
}


def variant(value):
    """The name of a variant in `wit/`: `no-such-file` of a `ReadError_NoSuchFile`."""
    name = type(value).__name__.rpartition("_")[2]
    return re.sub("(?<!^)(?=[A-Z])", "-", name).lower()
