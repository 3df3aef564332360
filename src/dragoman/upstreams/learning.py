"""What a refused request teaches of a model: asked once more in another way, it may well answer.

A server says which field it does not take. Nothing is guessed from the text of a message, which changes with every
version. Source: OpenAI API reference, error codes `unsupported_parameter` and `unsupported_value`, 2026.
"""

from __future__ import annotations

import re

from msgspec import structs

from dragoman.core.errors import DragomanError, UpstreamRejected
from dragoman.core.quirks import Quirks
from dragoman.upstreams.catalogue import Catalogue
from dragoman.upstreams.listing import Model

_NOT_TAKEN = "this model refuses it"
_CODES = frozenset({"unsupported_parameter", "unknown_parameter", "unsupported_value", "extra_forbidden"})
_DROPPED = {
    "temperature": "temperature",
    "top_p": "top_p",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "seed": "seed",
    "logit_bias": "logit_bias",
    "logprobs": "logprobs",
    "top_logprobs": "logprobs",
    "parallel_tool_calls": "parallel_tools",
    "stop": "stop",
    "user": "user",
    "metadata": "metadata",
    "reasoning.summary": "summary",
}
"""A field that a model may go without → the hub's word for it: the client is told of the loss."""
_LIMITS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""A field that bounds the answer → the other name for the same."""
_ROLE = re.compile(r"messages?[.\[][0-9]+\]?\.role")


def learn_quirks(catalogue: Catalogue, model: str, error: DragomanError) -> bool:
    """Learn from the refusal of a request; tell whether the model will now be asked in another way."""
    if not isinstance(error, UpstreamRejected) or error.param is None:
        return False
    param, refused = error.param, error.code in _CODES

    def lesson(known: Model) -> Model:
        return structs.replace(known, quirks=_learn(known.quirks, param, refused=refused))

    return catalogue.learn(model, lesson)


def _learn(quirks: Quirks, param: str, *, refused: bool) -> Quirks:
    """Return the quirks after a refusal that names `param`; `refused`: the field itself is not taken."""
    if _ROLE.fullmatch(param):
        return structs.replace(quirks, developer_role=False)
    if param.startswith("stream_options"):
        return structs.replace(quirks, stream_usage=False)
    if not refused:
        return quirks
    if param in _LIMITS and quirks.max_tokens != _LIMITS[param]:
        return structs.replace(quirks, max_tokens=_LIMITS[param])
    if param in _DROPPED:
        return structs.replace(quirks, lacks={**quirks.lacks, _DROPPED[param]: _NOT_TAKEN})
    return quirks
