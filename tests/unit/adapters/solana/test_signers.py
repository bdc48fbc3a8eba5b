"""The key that signs is KMS's, asked as KMS wants it; which adapters a network has."""

import subprocess
import sys
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from solders.keypair import Keypair

from engine.adapters.simulated.chain import SimulatedChain
from engine.adapters.solana.chain import SolanaChain
from engine.adapters.solana.paper import PoolsNow
from engine.adapters.solana.signers import KmsSigner
from engine.adapters.solana.venues import PoolPrices, SolanaPools, SolanaVenue
from engine.bootstrap import Aws, Engine
from engine.domain.errors import ChainUnavailable
from engine.settings import Settings
from tests.unit.test_bootstrap import LIVE

KEY = Keypair.from_seed(bytes(range(32)))
#: What stands before an Ed25519 key in DER.
HEAD = bytes.fromhex("302a300506032b6570032100")


def a_kms() -> tuple[Any, Stubber]:
    kms = boto3.client(
        "kms", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    return kms, Stubber(kms)


def test_kms_signs_the_message_itself() -> None:
    kms, stub = a_kms()
    message = b"a message"
    stub.add_response("get_public_key", {"PublicKey": HEAD + bytes(KEY.pubkey())}, {"KeyId": "k"})
    asked = {
        "KeyId": "k",
        "Message": message,
        "MessageType": "RAW",
        "SigningAlgorithm": "ED25519_SHA_512",
    }
    signature = KEY.sign_message(message)
    stub.add_response("sign", {"Signature": bytes(signature)}, asked)
    with stub:
        signer = KmsSigner(kms, "k")
        assert signer.address == str(KEY.pubkey())
        assert signer.sign(message) == bytes(signature)
    stub.assert_no_pending_responses()


def test_a_key_that_may_not_be_used_is_said_to_be_unavailable() -> None:
    kms, stub = a_kms()
    stub.add_client_error("get_public_key", "AccessDeniedException")
    stub.add_client_error("sign", "KMSInvalidStateException")
    with stub:
        with pytest.raises(ChainUnavailable, match="KMS"):
            _ = KmsSigner(kms, "k").address
        with pytest.raises(ChainUnavailable, match="KMS"):
            KmsSigner(kms, "k").sign(b"")


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("AWS_DEFAULT_REGION", "eu-west-1"),
        ("AWS_ACCESS_KEY_ID", "a"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
    ):
        monkeypatch.setenv(name, value)


def test_live_the_worker_signs_by_kms_and_nobody_else_signs(region: None) -> None:
    worker = Aws(Settings.of(LIVE | {"SIGNER_ID": "k"}))
    assert isinstance(worker.chain, SolanaChain)
    assert isinstance(worker.chain.signer, KmsSigner)
    assert worker.chain.max_priority_fee == 10_000
    reconcile = Aws(Settings.of(LIVE))
    assert isinstance(reconcile.chain, SolanaChain)
    assert reconcile.chain.signer is None
    assert not Engine(reconcile.settings, reconcile).settings.signs


def test_on_paper_nobody_has_a_key(region: None) -> None:
    adapters = Aws(Settings.of(LIVE | {"SETTLEMENT": "paper", "SIGNER_ID": "k"}))
    assert isinstance(adapters.chain, SimulatedChain)
    assert isinstance(adapters.chain.market, PoolsNow)
    assert all(isinstance(venue, SolanaVenue) for venue in adapters.venues)
    assert isinstance(adapters.market, SolanaPools)
    assert isinstance(adapters.prices, PoolPrices)


def test_a_simulated_network_loads_nothing_of_solana() -> None:
    program = (
        "import sys; from engine.bootstrap import Aws; from engine.settings import Settings;"
        "use = Aws(Settings.of({'TABLE_NAME': 't'}));"
        "use.venues, use.market, use.prices;"
        "print([n for n in sys.modules if n.startswith(('solders', 'engine.adapters.solana'))])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": "layers/common", "AWS_DEFAULT_REGION": "eu-west-1"},
    )
    assert ran.stdout.strip() == "[]"
