"""Checks of this task alone: the formula with the likeliest mistake, how far nodes reach, and the activation."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from autograder.checks._trees import kind_of
from autograder.checks._values import rows as listed
from autograder.checks._values import text
from autograder.checks.base import ArrayName, Check, Params, as_array, failed, passed

from .reference import MISTAKES, layer, normalise


class GraphFormulaParams(Params):
    """What was called."""

    function: Literal["normalise", "layer"] = Field(description="Which formula the answers must follow.")
    tolerance: float = Field(1e-4, gt=0, description="Largest difference of any entry.")


class GraphFormula(Check):
    """Every answer equals the formula; where all answers follow one known mistake instead, that one is named."""

    kind: ClassVar[str] = "graph_formula"
    title: ClassVar[str] = "The formula"
    probes: ClassVar[frozenset[str]] = frozenset({"calls"})
    Params: ClassVar[type[Params]] = GraphFormulaParams

    def judge(self, observation, context, params):
        """Compare case by case, smallest graph first."""
        name, answers = observation.values.get("cases"), observation.values.get("answers")
        cases = context.cases.get(name, ()) if isinstance(name, str) else ()
        if not cases or not isinstance(answers, list) or len(answers) != len(cases):
            return failed("There are no answers to compare.", "Return one matrix from the function.")
        values = [a.get("value") if isinstance(a, dict) else None for a in answers]
        arguments = [case.arguments for case in cases]
        wrong = next((i for i, v in enumerate(values) if not self._is(v, arguments[i], params)), None)
        if wrong is None:
            return passed(f"Right on all {len(cases)} graphs.")
        hint = "Work through three nodes in a line by hand and compare your matrix entry by entry."
        for said, way in MISTAKES.items():
            if all(self._is(value, given, params, way) for value, given in zip(values, arguments, strict=True)):
                hint = said
        if isinstance(answers[wrong], dict) and answers[wrong].get("value", hint) is None:
            hint = "The function ends without return."
        hint = _hint(answers[wrong]) or hint
        return failed(
            self._story(as_array(values[wrong]), answers[wrong], cases[wrong], params, name in context.hidden), hint
        )

    def _is(self, value, arguments, params, way=normalise):
        """True if the value is what the formula gives when the matrix is normalised that way. NaN is not."""
        right = self._right(arguments, params, way)
        found = as_array(value) if isinstance(value, np.ndarray) and value.shape == right.shape else None
        return found is not None and bool((np.abs(found - right) <= params.tolerance).all())

    def _right(self, arguments, params, way=normalise):
        return way(*arguments) if params.function == "normalise" else layer(*arguments, way)

    def _story(self, value, answer, case, params, hidden):
        """What came back for the first wrong graph, without any value or size of a hidden one."""
        graph = f"a graph of {len(case.arguments[0])} nodes" + (f" ({case.label})" if case.label else "")
        graph = "a graph that is not shown" if hidden else graph
        if isinstance(answer, dict) and "error" in answer:
            return f"On {graph} the function raised {_error(answer)}."
        if value is None:
            got = kind_of(answer.get("value"), told=not hidden) if isinstance(answer, dict) else "nothing"
            return f"On {graph} a matrix was expected, got {got}."
        right = self._right(case.arguments, params)
        if value.shape != right.shape:
            if hidden:
                return f"On {graph} the result does not have one row for each node, or not the right columns."
            return f"On {graph} the shape is {value.shape}, expected {right.shape}."
        if not np.isfinite(value).all():
            return f"On {graph} there are NaN or infinite entries: is a degree of 0 divided by?"
        if hidden:
            return f"On {graph} the result is not what the formula gives."
        row, column = np.unravel_index(np.abs(value - right).argmax(), right.shape)
        return f"On {graph} entry ({row}, {column}) is {value[row, column]:.4g}, expected {right[row, column]:.4g}."


class GraphReachParams(Params):
    """How far a change travels."""

    hops: int = Field(2, ge=1, description="Rows within so many steps of the changed node must change, and no others.")


class GraphReach(Check):
    """With one node's features changed, exactly the rows within reach change: one step for each layer.

    The data set's fact `distance` holds each node's distance from the changed one.
    """

    kind: ClassVar[str] = "graph_reach"
    title: ClassVar[str] = "Two steps along the edges"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[dict[str, frozenset[str]]] = {"changed": frozenset({"forward"})}
    Params: ClassVar[type[Params]] = GraphReachParams

    def judge(self, observation, context, params):
        """Compare the two outputs row by row."""
        distance = np.asarray(context.facts["distance"])
        before, after = _rows(observation, len(distance)), _rows(context.also["changed"], len(distance))
        if before is None or after is None or before.shape != after.shape:
            return _nothing_to_compare(observation)
        changed = np.abs(before - after).max(axis=1) > 1e-6
        near = distance <= params.hops
        if (changed & ~near).any():
            return failed(
                f"A node's features change the output of nodes more than {params.hops} steps away.",
                f"Each layer carries information one step along the edges, so {params.hops} layers carry it "
                f"{params.hops}. Is there one layer too many, a mean or softmax over nodes, or A used where it should "
                "be normalised?",
            )
        if not (changed | ~near).all():
            return failed(
                f"A node's features don't reach all nodes within {params.hops} steps.",
                _cut(before, after) or "Does every layer multiply by the normalised adjacency matrix, with self loops?",
            )
        return passed(f"A change reaches exactly the nodes within {params.hops} steps.")


class GraphShareParams(Params):
    """The graph of the model."""

    adjacency: ArrayName = Field("line", description="Array with the adjacency matrix that the model was built with.")
    tolerance: float = Field(0.02, gt=0, description="Largest difference of a node's share from the formula's.")


class GraphShare(Check):
    """Neighbours count in the model as the formula says, whatever the weights are.

    Where node 0 alone has features, large ones, row j of the outputs is S²[j, 0] times one vector, S being the
    normalised matrix: S has no negative entry, and ReLU(c·x) = c·ReLU(x) for c ≥ 0. Biases are too small to matter.
    Where each node has these features times a number of its own, the fact `mixed`, some of them negative, the outputs
    follow from those two vectors; they tell whether the sum over neighbours comes before ReLU.
    """

    kind: ClassVar[str] = "graph_share"
    title: ClassVar[str] = "Neighbours count as in the formula"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[dict[str, frozenset[str]]] = {
        role: frozenset({"forward"}) for role in ("mirrored", "mixed", "zero")
    }
    Params: ClassVar[type[Params]] = GraphShareParams

    def judge(self, observation, context, params):
        """Compare the rows with the first; of both signs take the one that fewer hidden units cut off."""
        graph = context.arrays[params.adjacency]
        zero = _rows(context.also["zero"], len(graph))
        three = [_rows(one, len(graph)) for one in (observation, context.also["mirrored"], context.also["mixed"])]
        if zero is None or any(one is None or one.shape != zero.shape for one in three):
            return _nothing_to_compare(observation)
        plus, minus, mixed = (one - zero for one in three)
        rows = max((plus, minus), key=lambda one: float(np.abs(one[0]).max()))
        rows = rows / max(float(np.abs(rows).max()), 1e-30)
        if self._fits(rows, graph, normalise, params):
            if self._mixes(plus[0], minus[0], mixed, graph, np.asarray(context.facts["mixed"]), params):
                return passed("Each node counts as much as the formula says.")
            return failed(
                "In the network, neighbours whose features have other signs don't count as the formula says.",
                "ReLU comes after the sum over the neighbours: σ(S H W), not S σ(H W). Is there one ReLU alone?",
            )
        hint = (
            "Compare the matrix that forward multiplies by with what normalise(adjacency) returns, in both layers. "
            "Is the activation ReLU? Sigmoid and tanh don't keep proportions."
        )
        hint = next((said for said, way in MISTAKES.items() if self._fits(rows, graph, way, params)), hint)
        hint = _cut(zero, *three) or hint
        return failed("In the network, neighbours don't count as much as the formula says.", hint)

    def _mixes(self, plus, minus, mixed, graph, numbers, params):
        """True if `mixed` is S ReLU(S X W) V, given what node 0 alone has with X and −X; numbers: of every node."""
        shares = normalise(np.asarray(graph, dtype=np.float64))
        own, sums = (shares @ shares)[0, 0], shares @ numbers
        wanted = np.outer(shares @ np.maximum(sums, 0), plus / own) + np.outer(
            shares @ np.maximum(-sums, 0), minus / own
        )
        return bool((np.abs(mixed - wanted) <= params.tolerance * max(float(np.abs(wanted).max()), 1e-30)).all())

    def _fits(self, rows, graph, way, params):
        """True if every row is its share under this normalisation times what the first row is at a share of 1."""
        shares = np.linalg.matrix_power(way(np.asarray(graph, dtype=np.float64)), 2)[:, 0]
        if shares[0] == 0:
            return False
        wanted = np.outer(shares / shares[0], rows[0])
        return bool(np.abs(rows[0]).max() > 0 and (np.abs(rows - wanted) <= params.tolerance).all())


class GraphActivation(Check):
    """The model bends: f(x) + f(−x) differs from 2 f(0), which no chain of linear layers manages.

    It bends by a ReLU alone: no log-softmax at the end, and in training the outputs are those of eval mode. A
    leaky ReLU can't be told from a ReLU by outputs, so the trace is asked whether torch's own was called.
    """

    kind: ClassVar[str] = "graph_activation"
    title: ClassVar[str] = "Activation between the layers"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[dict[str, frozenset[str]]] = {
        **{role: frozenset({"forward"}) for role in ("mirrored", "training", "zero")},
        "traced": frozenset({"trace"}),
    }
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation, context, _params):
        """Measure how far the three outputs are from a straight line."""
        plain = _rows(observation)
        mirrored, zero = _rows(context.also["mirrored"]), _rows(context.also["zero"])
        if plain is None or mirrored is None or zero is None or not plain.shape == mirrored.shape == zero.shape:
            return _nothing_to_compare(observation)
        training = _rows(context.also["training"], which=-1)  # the second: another draw of dropout than in eval mode
        if training is None or training.shape != plain.shape:
            return _nothing_to_compare(context.also["training"])
        if (plain <= 0).all() and np.abs(np.exp(plain).sum(axis=1) - 1).max() < 1e-4:
            return failed(
                "The outputs are log-probabilities: they went through a log-softmax, but logits are asked for.",
                "Leave out the (log-)softmax: return what the second graph convolution gives.",
            )
        size = max(1.0, float(np.abs(plain).max()))
        if np.abs(training - plain).max() > 1e-4 * size:
            return failed(
                "In training mode the same features give other outputs: there is dropout or a normalisation by batch.",
                "Leave it out: two graph convolutions with a ReLU between them, no dropout.",
            )
        bend = np.abs(plain + mirrored - 2 * zero).max()
        if not bend > 1e-4 * size:
            return failed(
                "The network is linear, or its activation is odd, as tanh is and sigmoid, around 1/2.",
                "Put a ReLU between the two graph convolutions: without it, two layers do no more than one.",
            )
        if any(text(row.get("op")) == "leaky_relu" for row in listed(context.also["traced"].values.get("ops"))):
            return failed(
                "The network calls a leaky ReLU, which lets a part of negative values through.",
                "The formula has a ReLU between the layers: torch.relu or nn.ReLU.",
            )
        return passed("There is an activation between the layers.")


class GraphStart(Check):
    """The weights start at random: where they are equal, all hidden units, and so all outputs, say the same."""

    kind: ClassVar[str] = "graph_start"
    title: ClassVar[str] = "Random start"
    probes: ClassVar[frozenset[str]] = frozenset({"forward"})
    also_roles: ClassVar[dict[str, frozenset[str]]] = {"zero": frozenset({"forward"})}
    Params: ClassVar[type[Params]] = Params

    def judge(self, observation, context, _params):
        """Equal weights leave outputs of rank 1, apart from a bias, which shows for features of zero."""
        plain, zero = _rows(observation), _rows(context.also["zero"])
        if plain is None or zero is None or plain.shape != zero.shape or min(plain.shape) < 2:
            return _nothing_to_compare(observation)
        # Near the largest of float64 a product overflows, so each is taken by its own size.
        strengths = np.linalg.svd((plain - zero) / max(float(np.abs(plain).max()), 1e-30), compute_uv=False)
        if not strengths[1] > 1e-4 * strengths[0]:
            return failed(
                "All classes get the same scores, up to a factor: the hidden units do all the same.",
                _cut(plain, zero)
                or "Start both weights at random (nn.init.xavier_uniform_): those that start equal stay equal.",
            )
        return passed("The weights start at random.")


def _cut(*outputs):
    """What to say of outputs that are never negative and often 0, as a ReLU leaves them; empty of others."""
    values = np.concatenate([one.ravel() for one in outputs if one.any()] or [np.ones(1)])
    if (values >= 0).all() and (values == 0).any():
        return "No output is negative and some are 0: leave out the ReLU after the second layer, it returns logits."
    return ""


def _nothing_to_compare(observation):
    """Why there are no rows of numbers."""
    outputs = observation.values.get("outputs")
    values = as_array(outputs[0]) if isinstance(outputs, list) and outputs else None
    if values is not None and not np.isfinite(values).all():
        hint = "Look for a logarithm or division of zero: can a degree be 0?"
        return failed("The outputs have NaN or infinite values.", hint)
    return failed("There are no outputs to compare.", "Return one row of numbers for each node from forward.")


def _hint(answer):
    """What to try about what was raised, if that is known."""
    error = answer.get("error") if isinstance(answer, dict) else None
    return text(error.get("hint"), 500) if isinstance(error, dict) else ""


def _error(answer):
    """What the student's function raised, in its own words; those are empty once hidden graphs were sent."""
    error = answer["error"] if isinstance(answer["error"], dict) else {}
    words = [error.get(key) if isinstance(error.get(key), str) else "" for key in ("type", "message", "where")]
    kind, message, where = (part[:200] for part in words)
    return (kind or "an error") + (f": {message}" if message else "") + (f" ({where})" if where else "")


def _rows(observation, rows=None, which=0):
    """The first output (or the last, -1) as a finite (N, C) array of that many rows, or None."""
    outputs = observation.values.get("outputs")
    values = as_array(outputs[which]) if isinstance(outputs, list) and outputs else None
    if values is None or values.ndim != 2 or not np.isfinite(values).all() or np.abs(values).max() > 1e100:
        return None
    return values if rows is None or len(values) == rows else None
