"""Client keys: long enough never to be guessed, and known by their hash alone."""

import string

from dragoman.config.keys import hash_key, make_key


def test_a_new_key_carries_256_random_bits_that_need_no_quoting() -> None:
    key = make_key()
    assert key.startswith("dg-")
    assert len(key.removeprefix("dg-")) == 43  # 256 bits, six to a character
    assert set(key) <= set(string.ascii_letters + string.digits + "-_")


def test_no_two_keys_are_the_same() -> None:
    assert len({make_key() for _ in range(100)}) == 100


def test_the_hash_is_what_sha256sum_prints() -> None:
    assert hash_key("abc") == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
