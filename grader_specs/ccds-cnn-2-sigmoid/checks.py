"""named_cause: the student's own words name the right cause, and no other."""

from __future__ import annotations

import re
from typing import ClassVar

from autograder.checks.base import Check, Context, Params, failed, passed
from autograder.model import Observation, Outcome

MAX_LENGTH = 400
_SMALL = r"tiny|small|shrink\w*|shrank|fad(?:e|es|ed|ing)|diminish\w*|decay\w*|disappear\w*|attenuat\w*"
_NONE = r"zero|nothing|lost|die|dies|died|dying|0\.25|quarter|0(?![.\d])"
_BETWEEN = r"(?:(?!not |never |no |without |[a-z]+n['’]t )[\w'’]+,? ){0,8}"  # "gradients at the first layer are nearly"
RIGHT = (
    r"vanish\w*",
    r"(?<!accuracy )(?<!loss )(?<!training )saturat\w*",
    rf"(?:{_SMALL}|dying) gradients?",
    rf"(?:gradients?|derivatives?|slopes?),? {_BETWEEN}(?:{_SMALL}|{_NONE})\b",
)
WRONG = (
    r"explod\w*",
    r"over[- ]?fit\w*",
    r"under[- ]?fit\w*",
    r"learning[- ]?rate",
    r"dead (?:neurons?|relus?)|dying relus?",
    r"class imbalance",
    r"too few epochs",
    r"data leak\w*",
    r"wrong sign",
    r"zero grad\b|zeroing|(?:reset|clear|set)\w* (?:the )?gradients?",
)
_DENIED = (  # words after a cause that say it is none
    r"^\s*(?:\w+ ){0,3}?(?:(?:does|do|did|would)(?: not|n['’]t) (?:help|matter|change|explain|fix|cause|solve)"
    r"|(?:is|are|was|were)(?: not|n['’]t) (?:it|to blame|(?:the |a )?(?:cause|problem|reason|issue)))\b"
)
_NEGATED = r"\b(?:not|no|nor|isn['’]t|doesn['’]t|don['’]t|aren['’]t|without|instead of|rather than)\s+(?:\w+\s+){0,2}$"


class NamedCause(Check):
    """A text that speaks of vanishing (or saturating, nearly zero) gradients and names no second cause."""

    kind: ClassVar[str] = "named_cause"
    title: ClassVar[str] = "The cause"
    probes: ClassVar[frozenset[str]] = frozenset({"call"})
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation: Observation, _context: Context, _params: Params) -> Outcome:
        """Look for the right words and for wrong ones."""
        said = observation.values.get("value")
        text = said if type(said) is str else ""
        if isinstance(said, list) and len(said) == 1 and type(said[0]) is str:
            text = said[0]
        plain = re.sub(r"[\s_-]+", " ", text[: MAX_LENGTH + 1].lower()).strip()
        if not plain:
            return failed("CAUSE is empty or no text.", 'Name the cause in a few words: CAUSE = "…".')
        if len(text) > MAX_LENGTH:
            return failed(f"CAUSE is longer than {MAX_LENGTH} characters.", "A few words are enough.")
        named = [pattern for pattern in WRONG if _claims(pattern, plain, denied=_DENIED)]
        right = any(_claims(pattern, plain) for pattern in RIGHT)
        if right and named:
            return failed("CAUSE names more than one cause.", "Decide for one: which of them do your gradients show?")
        if not right:
            return failed(
                "That is not what stops this network.",
                "Print the gradient norm of the first convolution and of the last linear layer, here and with ReLU.",
            )
        return passed("That is the cause.")


def _claims(pattern: str, text: str, denied: str = "(?!)") -> bool:
    """True if the words stand there and are not denied, before ("not overfitting") or, with `denied`, after them."""
    return any(
        not re.search(_NEGATED, text[: match.start()]) and not re.search(denied, text[match.end() :])
        for match in re.finditer(pattern, text)
    )
