"""Whom a TLS context believes, and which files are none of authorities."""

import ssl
from pathlib import Path

import pytest
import trustme

from dragoman.net.tls import make_context


def names(context: ssl.SSLContext) -> list[object]:
    return [authority["subject"] for authority in context.get_ca_certs()]


def test_without_a_file_the_authorities_of_the_system_decide() -> None:
    context = make_context()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert names(context) == names(ssl.create_default_context())


def test_a_file_adds_to_the_authorities_of_the_system(tmp_path: Path) -> None:
    authority, file = trustme.CA(organization_name="Lab"), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(file)
    added = [name for name in names(make_context(file)) if name not in names(make_context())]
    assert len(added) == 1
    assert "Lab" in str(added)


@pytest.mark.parametrize("content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nxx\n"])
def test_a_file_without_a_certificate_is_refused(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_bytes(content)
    with pytest.raises(ValueError, match=r"^the CA file holds no certificate in PEM form$"):
        make_context(file)


@pytest.mark.parametrize("name", ["missing.pem", ""])
def test_a_file_that_cannot_be_read_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^the CA file "):
        make_context(tmp_path / name)
