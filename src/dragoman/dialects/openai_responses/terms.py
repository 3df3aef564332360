"""What Responses cannot be told of a request that came in another dialect.

Source: OpenAI OpenAPI 2.3.0, 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import UNSET, structs

from dragoman.core import message as msg
from dragoman.core.loss import Terms
from dragoman.core.quirks import Quirks
from dragoman.dialects.openai_responses.schema import NAME

LEAST_TOKENS = 16
"""Tokens; less room for an answer cannot be asked for."""
_NO_FIELD = "Responses have no field for it"
REASONS: Mapping[str, str] = {
    "max_tokens": "Responses take no limit below 16 tokens",
    "thinking": "OpenAI takes back no reasoning that it has not sealed",
    "signature": "OpenAI cannot open reasoning that another vendor has sealed",
}
"""A word of the hub → why what it stands for is left out or changed."""


def narrow(request: msg.Request) -> tuple[msg.Request, Mapping[str, str]]:
    """Return what of a request can be said, and why the rest cannot."""
    lost: dict[str, str] = {}
    messages = [structs.replace(message, parts=_parts(message.parts, lost)) for message in request.messages]
    sampling = request.sampling
    if sampling.max_tokens is not None and sampling.max_tokens < LEAST_TOKENS:
        lost["max_tokens"] = REASONS["max_tokens"]
        sampling = structs.replace(sampling, max_tokens=LEAST_TOKENS)
    return structs.replace(request, messages=messages, sampling=sampling), lost


def _parts(parts: Sequence[msg.Part], lost: dict[str, str]) -> list[msg.Part]:
    kept: list[msg.Part] = []
    for part in parts:
        if isinstance(part, msg.Thinking) and (part.redacted or part.signature is UNSET):
            word = "signature" if part.redacted else "thinking"
            lost[word] = REASONS[word]
        else:
            kept.append(part)
    return kept


TERMS = Terms(
    cannot={
        "top_k": _NO_FIELD,
        "min_p": _NO_FIELD,
        "stop": _NO_FIELD,
        "seed": _NO_FIELD,
        "presence_penalty": _NO_FIELD,
        "frequency_penalty": _NO_FIELD,
        "repeat_penalty": _NO_FIELD,
        "logit_bias": _NO_FIELD,
        "n": "Responses give one answer",
        "name": "Responses have no names of speakers",
        "audio": "Responses take no sounds",
        "video": "Responses take no moving pictures",
        "budget": "told as an effort, for Responses count no tokens of reasoning",
    },
    kin={
        NAME: None,
        "openai_chat": frozenset(
            {
                "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "safety_identifier",
                "service_tier", "verbosity",
            }
        ),
    },
    narrow=narrow,
)  # fmt: skip
"""What every server of this dialect can be told."""


def fit_terms(quirks: Quirks) -> Terms:
    """Return what a model with these `quirks` can be told."""
    cannot = {**TERMS.cannot, **quirks.lacks}
    if not quirks.effort:
        cannot["effort"] = "this model does not take it"
    return structs.replace(TERMS, cannot=cannot, parameters=quirks.parameters, only=quirks.fields)
