"""Certificates of users, and machines whose keys are revoked, as OpenSSH itself takes them."""

import base64
import getpass
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlwa.errors import AccessError
from tests.integration.sshd import (
    Answers,
    Client,
    Server,
    agent,
    connect,
    each_road,
    make_key,
    needs_sshd,
)

pytestmark = [pytest.mark.integration, needs_sshd]
ME = getpass.getuser()
PAST, FUTURE = "20200101:20210101", "20900101:20910101"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_key(tmp_path_factory.mktemp("authority") / "authority")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, authority: Path) -> Iterator[Server]:
    """An sshd that trusts an authority, and nobody's key by itself."""
    server = Server(tmp_path_factory.mktemp("sshd") / "vm")
    server.more_config = f"TrustedUserCAKeys {authority}.pub"
    server.start()
    yield server
    server.stop()


@pytest.fixture
def ann(client: Client, server: Server) -> Client:
    """A user without a known key, who has met the machine."""
    server.authorized.write_text("")
    client.know(server)
    return client


def signed(authority: Path, key: Path, *more: str, name: str = ME, to: Path | None = None) -> Path:
    """A certificate beside a key, or elsewhere."""
    argv = ["ssh-keygen", "-q", "-s", authority, "-I", "ann's laptop", "-n", name, *more]
    subprocess.run([*argv, key.with_name(key.name + ".pub")], check=True)
    made = key.with_name(key.name + "-cert.pub")
    return made.rename(to) if to else made


def enters_by_ssh(client: Client, alias: str) -> bool:
    argv = ["ssh", "-F", client.config, "-oBatchMode=yes", alias, "true"]
    return subprocess.run(argv, stderr=subprocess.DEVNULL, check=False).returncode == 0


def enters(client: Client, alias: str = "vm", user: Answers | None = None) -> bool:
    """Whether we get in; OpenSSH must say the same."""
    try:
        connect(alias, user).close()
    except AccessError:
        assert not enters_by_ssh(client, alias)
        return False
    assert enters_by_ssh(client, alias)
    return True


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
def test_a_named_certificate_lets_in(ann, server, authority, kind):
    """As Azure's `az ssh config` writes it: CertificateFile and IdentityFile."""
    key = make_key(ann.folder / kind, kind)
    place = signed(authority, key, to=ann.folder / f"my {kind}.pub-aadcert.pub")
    ann.add_host("named", server, IdentityFile=key, CertificateFile=f'"{place}"')
    ann.add_host("plain", server, IdentityFile=key)
    assert enters(ann, "named") and not enters(ann, "plain")


def test_the_certificate_beside_a_key_is_found_as_by_ssh(ann, server, authority):
    signed(authority, ann.key)
    assert enters(ann)


def test_a_certificate_is_not_beside_where_another_is_named(ann, server, authority):
    signed(authority, ann.key)
    ann.add_host("named", server, CertificateFile=ann.folder / "missing.pub")
    user = Answers()
    assert not enters(ann, "named", user)
    assert any("missing.pub cannot be used: No such file" in line for line in user.told)


def test_the_certificate_waits_for_the_passphrase_of_its_key(ann, server, authority):
    key = make_key(ann.folder / "locked", passphrase="open sesame")
    place = signed(authority, key, to=ann.folder / "elsewhere")
    ann.add_host("locked", server, IdentityFile=key, CertificateFile=place)
    user = Answers(None, "open sesame")
    connect("locked", user).close()
    assert len(user.asked) == 1 and not user.told


@pytest.mark.parametrize("kind", ["ed25519", "rsa", "ecdsa"])
@pytest.mark.parametrize("holds", ["key", "both", "certificate"])
def test_an_agent_signs_for_a_certificate(ann, server, authority, monkeypatch, kind, holds):
    key = make_key(ann.folder / kind, kind)
    place = signed(authority, key)
    ann.add_host("held", server, IdentityFile=key, IdentitiesOnly="no")
    if holds == "key":
        place.rename(ann.folder / "elsewhere")
    with agent(key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        if holds == "key":
            (ann.folder / "elsewhere").rename(place)
        if holds == "certificate":
            place.unlink()  # as tools leave it that keep nothing on the disk
            subprocess.run(["ssh-add", "-q", "-d", key], check=True, capture_output=True)
        key.unlink()
        connect("held").close()


@pytest.mark.parametrize(
    ("name", "more", "told"),
    [
        (ME, ["-V", PAST], "ended 2021-01-01 00:00: get a new one"),
        (ME, ["-V", FUTURE], "begins 2090-01-01 00:00"),
        ("ben,eve", [], f"is for ben, eve, not for {ME}: log in as who it is for"),
        (ME, ["-h"], "is a machine's, not a user's"),
    ],
)
def test_what_is_wrong_with_a_certificate_is_told(ann, server, authority, name, more, told):
    place = signed(authority, ann.key, *more, name=name)
    with pytest.raises(AccessError, match="accepts none of our keys") as caught:
        connect("vm")
    assert f"{place} {told}" in caught.value.hint
    assert not enters_by_ssh(ann, "vm")


def test_what_is_wrong_with_one_in_an_agent_is_told_too(ann, server, authority, monkeypatch):
    place = signed(authority, ann.key, name="ben")
    ann.add_host("held", server, IdentityFile=None, IdentitiesOnly="no")
    with agent(ann.key) as socket:
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        place.unlink()
        with pytest.raises(AccessError, match="agent ssh-ed25519-cert-v01") as caught:
            connect("held")
    assert f"certificate in the agent is for ben, not for {ME}" in caught.value.hint


def test_who_wants_no_keys_shown_shows_none(ann, server):
    server.let_in(ann.key)
    ann.add_host("keyless", server, PubkeyAuthentication="no")
    user = Answers()
    with pytest.raises(AccessError, match="none to offer"):
        connect("keyless", user)
    assert not enters_by_ssh(ann, "keyless")


def test_an_authority_the_machine_does_not_trust(ann, server, tmp_path):
    signed(make_key(tmp_path / "stranger"), ann.key)
    with pytest.raises(AccessError) as caught:
        connect("vm")
    assert "trust who signed" in caught.value.hint


@pytest.mark.parametrize("spoilt", ["ended", "other key", "nonsense", "cut", "spoilt", "binary"])
def test_a_useless_certificate_leaves_the_key_as_it_is(ann, server, authority, spoilt):
    server.let_in(ann.key)
    if spoilt == "other key":
        place = signed(authority, make_key(ann.folder / "other"))
    else:
        place = signed(authority, ann.key, *(["-V", PAST] if spoilt == "ended" else []))
    kind, data = place.read_text().split()[:2]
    written = {
        "nonsense": b"nonsense",
        "cut": f"{kind} {data[:200]}".encode(),
        "spoilt": f"{kind} {base64.b64encode(b'x' * 300).decode()}".encode(),
        "binary": os.urandom(300),
    }
    if spoilt in written:
        place.write_bytes(written[spoilt])
    ann.add_host("named", server, CertificateFile=place)
    assert enters(ann) and enters(ann, "named")


def test_a_key_of_a_stick_is_told_and_passed_over(ann, server):
    """The private half of a FIDO key is a reference which only OpenSSH can use."""
    server.let_in(ann.key)
    stick = ann.folder / "id_ed25519_sk"
    stick.write_text(reference_to_a_stick())
    ann.add_host("stick", server, IdentityFile=f"{stick}\n  IdentityFile {ann.key}")
    user = Answers()
    connect("stick", user).close()
    assert any(str(stick) in line for line in user.told)


@each_road
@pytest.mark.parametrize("told", ["lines", "list", "hashes"])
def test_a_revoked_machine_is_refused_though_it_is_known(ann, server, tmp_path, told, road):
    server.let_in(ann.key)
    revoked = tmp_path / "re voked"
    make_key(tmp_path / "other")
    other = (tmp_path / "other.pub").read_text()
    ann.add_host("careful", server, RevokedHostKeys=f'"{revoked}"')
    revoke(revoked, told, other)
    connect("careful").close()
    revoke(revoked, told, f"# stolen\n{other}{server.public_host_key} root@vm\n")
    before = server.log().count("Accepted")
    user = Answers(True)
    for pinned in ((), (server.public_host_key,)):
        with pytest.raises(AccessError, match=r"is revoked by .*re voked"):
            road("careful", user, pinned=pinned)
    assert not user.asked and server.log().count("Accepted") == before


def test_a_revoked_hop_is_refused(ann, server, tmp_path):
    server.let_in(ann.key)
    revoked = tmp_path / "revoked"
    revoked.write_text(server.public_host_key)
    ann.add_host("hop", server, RevokedHostKeys=revoked)
    ann.add_host("inner", server, ProxyJump="hop")
    with pytest.raises(AccessError, match="is revoked by"):
        connect("inner")
    assert not enters_by_ssh(ann, "inner")


@pytest.mark.parametrize("state", ["missing", "a folder", "spoilt"])
def test_revoked_keys_that_cannot_be_read_refuse_every_machine(ann, server, tmp_path, state):
    server.let_in(ann.key)
    revoked = tmp_path / "revoked"
    if state == "a folder":
        revoked.mkdir()
    elif state == "spoilt":
        revoked.write_bytes(b"SSHKRL\n\0" + b"\xff" * 20)
    ann.add_host("careful", server, RevokedHostKeys=revoked)
    with pytest.raises(AccessError, match=r"RevokedHostKeys .*revoked cannot be read"):
        connect("careful", Answers(True))
    assert not enters_by_ssh(ann, "careful")


@pytest.mark.parametrize("strict", ["yes", "ask"])
def test_what_vouches_for_a_machine_elsewhere_is_said_to_be_unread(ann, server, authority, strict):
    """Neither is followed: the user is asked with the fingerprint, as of an unknown machine."""
    server.let_in(ann.key)
    pattern = f"[{server.address}]:{server.port}"
    ann.known_hosts.write_text(
        f"\n@cert-authority {pattern} {authority.read_text().split()[0]} x\n"
    )
    ann.add_host("vouched", server, StrictHostKeyChecking=strict)
    with pytest.raises(AccessError, match=r"authority of .*known_hosts, line 2") as caught:
        connect("vouched")
    assert "pin it in the lab file" in caught.value.hint
    ann.known_hosts.write_text("")
    command = f"/bin/echo {pattern} {server.public_host_key}"
    ann.add_host("told", server, KnownHostsCommand=command, StrictHostKeyChecking=strict)
    with pytest.raises(AccessError, match=r"KnownHostsCommand .*not read"):
        connect("told")


def revoke(path: Path, how: str, keys: str) -> None:
    if how == "lines":
        path.write_text(keys)
        return
    listed = path.with_name("listed")
    kept = [line for line in keys.splitlines() if not line.startswith("#")]
    listed.write_text("\n".join(kept))
    if how == "hashes":
        listed.write_text("\n".join(f"hash: {_sum(line)}" for line in kept))
    subprocess.run(["ssh-keygen", "-q", "-k", "-f", path, listed], check=True)


def _sum(line: str) -> str:
    said = subprocess.run(
        ["ssh-keygen", "-lf", "-"], input=line, capture_output=True, text=True, check=True
    )
    found = re.search(r"SHA256:\S+", said.stdout)
    assert found
    return found[0]


def reference_to_a_stick() -> str:
    def text(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4) + part for part in parts)

    kind = b"sk-ssh-ed25519@openssh.com"
    public = text(kind, b"k" * 32, b"ssh:")
    private = b"\0\0\0\1" * 2 + public + b"\1" + text(b"handle" * 10, b"", b"ann")
    private += bytes(range(1, 1 + -len(private) % 8))
    whole = b"openssh-key-v1\0" + text(b"none", b"none", b"") + b"\0\0\0\1" + text(public, private)
    lines = base64.encodebytes(whole).decode()
    return f"-----BEGIN OPENSSH PRIVATE KEY-----\n{lines}-----END OPENSSH PRIVATE KEY-----\n"
