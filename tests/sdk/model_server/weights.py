"""A language model made on the spot: a llama of two layers with random weights, as a GGUF file (format version 3).

It speaks nonsense, one character a token, and ends at random; it thinks and calls functions when asked to, and a
grammar binds it as any other.
Source: the GGUF specification of ggml (docs/gguf.md), and what llama.cpp asks of the architecture `llama`.
"""

import random
import struct
from array import array
from collections.abc import Iterable, Sequence
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

CONTEXT = 1024
"""How many tokens the model can look at."""
_WIDTH, _LAYERS, _HEADS, _HIDDEN = 64, 2, 4, 128
_ALIGNMENT = 32
_UINT32, _INT32, _FLOAT32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
"""What a value is."""
_TEMPLATE = (Path(__file__).parent / "template.jinja").read_text()
"""ChatML with tools in the words of Hermes, as many models have it."""


class Kind(IntEnum):
    """What a token is, in llama.cpp's numbers."""

    NORMAL = 1
    UNKNOWN = 2
    CONTROL = 3
    WHOLE = 4
    BYTE = 6


class Token(NamedTuple):
    """One entry of the vocabulary."""

    text: str
    kind: Kind = Kind.NORMAL
    leaning: float = 0
    """What is added to its likelihood: random weights alone would end at once or write bytes that are no text."""
    after: str = ""
    """The token that it nearly always follows."""


class Tensor(NamedTuple):
    """Numbers by name; the first size is the one that changes fastest."""

    name: str
    sizes: Sequence[int]
    values: "array[float]"


def write_model(file: Path, seed: int = 1) -> None:
    """Write the model that `seed` gives, about half a megabyte, to `file`."""
    tokens = _vocabulary()
    tensors = list(_tensors(tokens, random.Random(seed)))
    pairs = [*_shape(), *_tokenizer(tokens)]
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(pairs)) + b"".join(pairs)
    start = 0
    for tensor in tensors:
        sizes = struct.pack(f"<I{len(tensor.sizes)}Q", len(tensor.sizes), *tensor.sizes)
        head += _text(tensor.name) + sizes + struct.pack("<IQ", 0, start)
        start += len(_aligned(tensor.values.tobytes()))
    file.write_bytes(_aligned(head) + b"".join(_aligned(tensor.values.tobytes()) for tensor in tensors))


def _vocabulary() -> list[Token]:
    special = [
        Token("<unk>", Kind.UNKNOWN, -1),
        Token("<|im_start|>", Kind.CONTROL, -1),
        Token("<|im_end|>", Kind.CONTROL, -0.3, after=">"),
        Token("<tool_call>", Kind.WHOLE, -0.8, after="<0x0A>"),
        Token("</tool_call>", Kind.WHOLE, -1),
        Token("<think>", Kind.WHOLE, -1),
        Token("</think>", Kind.WHOLE, -0.3, after="."),
    ]
    every_byte = [Token(f"<0x{byte:02X}>", Kind.BYTE, -1) for byte in range(256)]
    # SentencePiece writes a space as U+2581.
    letters = [Token(letter) for letter in "\u2581äß€語😀"] + [Token(chr(code)) for code in range(33, 127)]
    return special + every_byte + letters


def _tensors(tokens: Sequence[Token], dice: random.Random) -> Iterable[Tensor]:
    """Yield the weights. The first of the `_WIDTH` numbers is 1 for every token and no layer changes it: a bias."""

    def matrix(name: str, inputs: int, outputs: int, spread: float = 0, *, keeps_bias: bool = False) -> Tensor:
        values = array("f", (dice.gauss(0, spread or inputs**-0.5) for _ in range(inputs * outputs)))
        if keeps_bias:
            values[:inputs] = array("f", [0] * inputs)
        return Tensor(name, (inputs, outputs), values)

    def ones(name: str) -> Tensor:
        return Tensor(name, (_WIDTH,), array("f", [1] * _WIDTH))

    words = matrix("token_embd.weight", _WIDTH, len(tokens), 1)
    heads = matrix("output.weight", _WIDTH, len(tokens))
    numbers = {token.text: number * _WIDTH for number, token in enumerate(tokens)}
    for token in tokens:
        number = numbers[token.text]
        if token.after:
            # It looks for the other token: certain after that, no likelier than others elsewhere.
            before = numbers[token.after]
            heads.values[number : number + _WIDTH] = array(
                "f", (value / 2 for value in words.values[before : before + _WIDTH])
            )
        words.values[number] = 1
        heads.values[number] = 20 * token.leaning
    yield from (words, heads, ones("output_norm.weight"))
    for layer in range(_LAYERS):
        block = f"blk.{layer}."
        yield from (ones(f"{block}attn_norm.weight"), ones(f"{block}ffn_norm.weight"))
        yield from (matrix(f"{block}attn_{part}.weight", _WIDTH, _WIDTH) for part in "qkv")
        yield matrix(f"{block}attn_output.weight", _WIDTH, _WIDTH, keeps_bias=True)
        yield from (matrix(f"{block}ffn_{part}.weight", _WIDTH, _HIDDEN) for part in ("gate", "up"))
        yield matrix(f"{block}ffn_down.weight", _HIDDEN, _WIDTH, keeps_bias=True)


def _shape() -> Iterable[bytes]:
    yield _pair("general.architecture", _STRING, _text("llama"))
    yield _pair("general.name", _STRING, _text("Tiny nonsense"))
    yield _number("llama.context_length", CONTEXT)
    yield _number("llama.embedding_length", _WIDTH)
    yield _number("llama.block_count", _LAYERS)
    yield _number("llama.feed_forward_length", _HIDDEN)
    yield _number("llama.attention.head_count", _HEADS)
    yield _number("llama.rope.dimension_count", _WIDTH // _HEADS)
    yield _number("llama.pooling_type", 1)  # the mean, for embeddings
    yield _pair("llama.attention.layer_norm_rms_epsilon", _FLOAT32, struct.pack("<f", 1e-5))


def _tokenizer(tokens: Sequence[Token]) -> Iterable[bytes]:
    end = next(number for number, token in enumerate(tokens) if token.text == "<|im_end|>")
    yield _pair("tokenizer.ggml.model", _STRING, _text("llama"))
    yield _array("tokenizer.ggml.tokens", _STRING, [_text(token.text) for token in tokens])
    yield _array("tokenizer.ggml.scores", _FLOAT32, [struct.pack("<f", -number) for number in range(len(tokens))])
    yield _array("tokenizer.ggml.token_type", _INT32, [struct.pack("<i", token.kind) for token in tokens])
    yield _number("tokenizer.ggml.unknown_token_id", 0)
    yield _number("tokenizer.ggml.bos_token_id", 1)
    yield _number("tokenizer.ggml.eos_token_id", end)
    yield _pair("tokenizer.ggml.add_bos_token", _BOOL, b"\0")
    yield _pair("tokenizer.ggml.add_space_prefix", _BOOL, b"\0")
    yield _pair("tokenizer.chat_template", _STRING, _text(_TEMPLATE))


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _pair(name: str, kind: int, value: bytes) -> bytes:
    return _text(name) + struct.pack("<I", kind) + value


def _number(name: str, value: int) -> bytes:
    return _pair(name, _UINT32, struct.pack("<I", value))


def _array(name: str, kind: int, values: Sequence[bytes]) -> bytes:
    return _pair(name, _ARRAY, struct.pack("<IQ", kind, len(values)) + b"".join(values))


def _aligned(data: bytes) -> bytes:
    return data + bytes(-len(data) % _ALIGNMENT)
