"""Poe: each model by the endpoint that its catalogue names; bots that it does not list by the bot protocol.

Source: Poe's documentation (editions of 2025 and 2026) and recorded traffic of its own provider for the AI SDK, 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from msgspec import structs

from dragoman.core.ask import Answer, Ask
from dragoman.core.call import Call, Task
from dragoman.core.errors import BadRequest, UpstreamRejected
from dragoman.core.ports import Outbound
from dragoman.core.quirks import Quirks
from dragoman.dialects import OUTBOUND, outbound
from dragoman.upstreams.catalogue import Catalogue, read_models
from dragoman.upstreams.connector import CATALOGUE_PATIENCE, Connector, Wiring
from dragoman.upstreams.learning import learn_quirks
from dragoman.upstreams.listing import Model
from dragoman.upstreams.openai_compatible import ACCEPT, write_bearer
from dragoman.upstreams.poe.catalogue import BUDGET, CHAT, CORE, EFFORTS, SWITCH, tell

STRICT = b"poe-feature: chat-completions-strict\r\n"
"""Asks Poe to refuse what it does not know instead of ignoring it."""
INSTEAD: Mapping[Task, Task] = {"image": "chat", "speech": "chat"}
"""What Poe's models do in a chat alone: its endpoints for pictures and sounds answer most models with 404."""
UNSUPPORTED = "unsupported_feature_for_model"
"""The code with which a model refuses tools."""
AS_IS = (CHAT, "openai_completions")
"""The dialects whose clients are told the files of an answer as Poe tells them: in the text."""
_OTHERS = ("anthropic_messages", "openai_responses", "openai_videos")
_OF_CHAT = CORE | {
    "audio", "frequency_penalty", "logit_bias", "logprobs", "metadata", "modalities", "moderation", "prediction",
    "presence_penalty", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention", "reasoning_effort",
    "safety_identifier", "seed", "service_tier", "store", "top_logprobs", "user", "verbosity", "web_search_options",
    "api_base", "base_url", "api_key", "extra_headers", "extra_body", "proxy", "user_config", "cache_control",
    "min_p", "repetition_penalty", "top_k", "reasoning", "thinking", *EFFORTS, BUDGET, SWITCH,
}  # fmt: skip
_USUAL: Mapping[str, frozenset[str]] = {CHAT: _OF_CHAT}
"""A dialect whose clients may send parameters of a bot's own → all other fields that they may send."""


def build(wiring: Wiring, *, strict: bool = True, bot: Connector | None = None) -> Connector:
    """Return Poe; `bot` asks for what the catalogue does not list, and with parameters that it does not list.

    The wiring's catalogue should complete what it is told with `dragoman.upstreams.poe.catalogue.complete`.
    """
    headers = ACCEPT + (STRICT if strict else b"")
    keys = write_bearer(wiring.keys)
    dialects = [outbound(CHAT), *(_without_list(outbound(name)) for name in _OTHERS if name in OUTBOUND)]
    learn = partial(learn_quirks, wiring.catalogue)
    http = wiring.speak(dialects, headers=headers, keys=keys, instead=INSTEAD, learn=learn)
    read = partial(
        read_models, wiring.transport, headers + wiring.headers + b"".join(keys[:1]), CATALOGUE_PATIENCE, tell
    )
    asks = http.ask_model if bot is None else partial(_choose, wiring.catalogue, http.ask_model, bot.ask_model)
    return Connector(http, lambda model: _know_limits(wiring.catalogue, model, asks(model)), read)


def know_bots(catalogue: Catalogue) -> Catalogue:
    """Return what is known of Poe's models where they are asked as bots: of these, any name and any parameter."""

    def as_bot(model: Model) -> Model:
        known = catalogue.find(model.id)
        return structs.replace(known, quirks=structs.replace(_unlisted(known.quirks), dialects=()))

    return Catalogue(any_name=True, complete=as_bot)


def _unlisted(quirks: Quirks) -> Quirks:
    return structs.replace(quirks, fields=None, parameters=frozenset())


def _without_list(dialect: Outbound) -> Outbound:
    """Return a dialect that is fitted to anything but the list of fields, which is one of chat completions."""
    fitted = dialect.fitted
    if fitted is None:
        return dialect

    def fit(quirks: Quirks) -> Outbound:
        return fitted(_unlisted(quirks))

    return structs.replace(dialect, fitted=fit)


def _choose(catalogue: Catalogue, rest: Callable[[str], Ask], bot: Callable[[str], Ask], model: str) -> Ask:
    """Return the ask that takes the better protocol for each call."""
    by_rest, as_bot = rest(model), bot(model)

    async def ask(call: Call) -> Answer:
        listed = catalogue.lists(model) or catalogue.any_name or not catalogue.known
        if call.task == "chat" and not (listed and _is_known(call, catalogue.quirks(model))):
            return await as_bot(call)
        return await by_rest(call)

    return ask


def _is_known(call: Call, quirks: Quirks) -> bool:
    """Tell whether the catalogue lists every parameter of a call; tools are asked for over REST in any case."""
    usual = _USUAL.get(call.dialect)
    return usual is None or "tools" in call.fields or call.fields.keys() <= usual | quirks.parameters


def _know_limits(catalogue: Catalogue, model: str, ask: Ask) -> Ask:
    """Refuse what Poe does not do, and learn that a model takes no tools: the next call with some is not even asked."""

    async def learning(call: Call) -> Answer:
        if call.n > 1:
            raise _refuse(call, "n", "more than one answer at a time")
        try:
            return await ask(call)
        except UpstreamRejected as error:
            if error.code != UNSUPPORTED or not any(request.tools for request in call.requests):
                raise
            catalogue.learn(model, _without_tools)
            raise _refuse(call, "tools", "tools", error.detail) from None

    return learning


def _without_tools(known: Model) -> Model:
    return structs.replace(known, can=structs.replace(known.can, tools=False))


def _refuse(call: Call, param: str, what: str, detail: str = "") -> BadRequest:
    """Return what is said of models that are known not to do it; another may."""
    message = f'"{call.model}" does not support {what}'
    refusal = BadRequest(message, param=param, code="unsupported_by_model", detail=detail)
    refusal.retry = "elsewhere"
    return refusal
