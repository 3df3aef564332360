"""What a client is told of its losses."""

from __future__ import annotations

from dragoman.core.loss import Terms, carry
from dragoman.core.ports import Limits
from dragoman.dialects.ollama.chat import read_call
from dragoman.dialects.ollama.words import WORDS

NOTHING = Terms(dict.fromkeys((*WORDS.names, "logprobs", "thinking"), "not here"))


def losses(members: bytes) -> dict[str, str]:
    call = read_call(b'{"model":"m","messages":[{"role":"user","content":"Hi"}]%b}' % members, Limits())
    return carry(call.request, call.dialect, call.words, NOTHING)[1]


def test_a_loss_is_named_as_the_client_named_it() -> None:
    told = losses(
        b',"think":"low","format":"json","options":{"temperature":1,"top_p":0.5,"top_k":3,"min_p":0.1,"stop":"x",'
        b'"seed":4,"presence_penalty":1,"frequency_penalty":1,"repeat_penalty":2,"num_predict":9}'
    )
    assert told.keys() == {
        "think", "format", "options.temperature", "options.top_p", "options.top_k", "options.min_p", "options.stop",
        "options.seed", "options.presence_penalty", "options.frequency_penalty", "options.repeat_penalty",
        "options.num_predict",
    }  # fmt: skip
    assert set(told.values()) == {"not here"}


def test_how_a_model_runs_on_ones_own_machine_is_no_loss() -> None:
    local = b'"num_gpu":1,"num_thread":8,"numa":false,"use_mmap":true,"f16_kv":true'
    assert losses(b',"keep_alive":-1,"truncate":false,"shift":true,"options":{%b}' % local) == {}


def test_a_sampler_or_a_window_that_only_ollama_has_is_a_loss() -> None:
    told = losses(b',"options":{"num_ctx":8192,"mirostat":1,"typical_p":0.5}')
    assert told.keys() == {"options.num_ctx", "options.mirostat", "options.typical_p"}
    assert all(told.values())


def test_a_field_nobody_knows_is_a_loss_too() -> None:
    assert losses(b',"tool_choice":"required","options":{"new":1}').keys() == {"tool_choice", "options.new"}


def test_a_null_is_nothing_to_lose() -> None:
    assert losses(b',"tool_choice":null,"think":null,"format":null,"options":{"mirostat":null,"top_k":null}') == {}
