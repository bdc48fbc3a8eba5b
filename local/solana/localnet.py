"""The local chain as a network of its own: a node at an address, its pools, and who trades there.

with localnet(cloud.endpoint_url, Settlement.LIVE) as chain:
    ...  # deploy with chain.parameters
    chain.node.faults.lose = 10
"""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from tempfile import NamedTemporaryFile

from aiohttp import web

from engine.adapters.solana import layouts
from engine.adapters.solana.pools import Kind
from engine.adapters.solana.rpc import Account
from engine.adapters.solana.signers import KmsSigner
from engine.adapters.system import SystemClock
from engine.domain.order import Settlement
from engine.domain.tokens import SOL, Token, listed_pairs
from engine.market.meteora import DlmmPool
from engine.market.pool import Pool
from engine.market.raydium import ConstantProductPool
from engine.market.simulation import VENUES, SimulatedMarket
from local.cloud import aws
from local.cloud.embedded import HOST, wait_until_healthy
from local.solana import accounts
from local.solana.node import LocalNode

#: What the wallet has: lamports, for fees too, and of each other token so many.
_LAMPORTS, _HELD = 10**15, 10**11
#: The file's path is a parameter of the template, which takes a short one.
_FILES = Path("/tmp")  # noqa: S108 - made with a name of its own, for its owner alone
#: How long nobody answers whom a node leaves without an answer.
_SILENCE_SECONDS = 30.0
_SEED = 1
_PPM = 100


@dataclass(frozen=True, slots=True)
class Localnet:
    """A running chain. `parameters` are what a stack that trades on it is deployed with.

    `wallet` is the address of the key that signs; None on paper.
    """

    node: LocalNode
    url: str
    wallet: str | None
    parameters: Mapping[str, str]

    def move(self, pair: str, price: Decimal) -> None:
        """Let both venues' pools of a pair (BASE/QUOTE) stand at a price from now on."""
        base, quote = _pairs()[pair]
        self.node.give(_pools(base, quote, self.node.clock.now(), {pair: price}))

    def held(self, token: Token) -> int:
        """Return what the wallet has of a token at the tip, in base units."""
        address = str(self.wallet)
        if token == SOL:
            account = self.node.account(address)
            return account.lamports if account else 0
        account = self.node.account(layouts.associated_account(address, token.mint))
        return int(layouts.TOKEN_ACCOUNT.decode(account.data)["amount"]) if account else 0


@contextmanager
def localnet(endpoint_url: str, settlement: Settlement) -> Iterator[Localnet]:
    """Run a chain whose pools stand where the simulated market's do.

    Where orders are settled live, a key of the embedded cloud's KMS signs, and its account is rich.
    """
    node = LocalNode(SystemClock())
    pairs = _pairs()
    tokens = {token for pair in pairs.values() for token in pair}
    node.give({token.mint: accounts.mint(token) for token in tokens})
    for base, quote in pairs.values():
        node.give(_pools(base, quote, node.clock.now()))
    key_id, wallet = "", None
    if settlement is Settlement.LIVE:
        wait_until_healthy(endpoint_url)
        kms = aws.client("kms", endpoint_url)
        made = kms.create_key(KeySpec="ECC_NIST_EDWARDS25519", KeyUsage="SIGN_VERIFY")
        key_id = made["KeyMetadata"]["KeyId"]
        wallet = KmsSigner(kms, key_id).address
        node.give(_riches(wallet, tokens))
    with _listed(pairs) as file, serving(node) as url:
        parameters = {
            "Network": "solana",
            "Settlement": settlement.value,
            "SolanaRpcUrl": url,
            "SolanaPools": file,
            "SignerKeyId": key_id,
            "MinOrderUsd": "1",
            "MaxPriorityFeeLamports": "20000",
        }
        yield Localnet(node, url, wallet, parameters)


@contextmanager
def serving(node: LocalNode) -> Iterator[str]:
    """Serve a node's JSON-RPC on loopback, from a thread of its own; yield its address."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        told = node.answer(await request.read())
        if told is None:
            await asyncio.sleep(_SILENCE_SECONDS)
            return web.Response(status=504)  # by then nobody listens
        status, headers, body = told
        return web.Response(
            status=status, headers=headers, body=body, content_type="application/json"
        )

    async def opened() -> tuple[web.ServerRunner, str]:
        runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
        await runner.setup()
        site = web.TCPSite(runner, HOST, 0)
        await site.start()
        return runner, f"http://{HOST}:{runner.addresses[0][1]}"

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="localnet", daemon=True)
    thread.start()
    try:
        runner, url = asyncio.run_coroutine_threadsafe(opened(), loop).result()
        try:
            yield url
        finally:
            asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def _pairs() -> dict[str, tuple[Token, Token]]:
    return listed_pairs(test_tokens=False)


def _pools(
    base: Token, quote: Token, at: datetime, moved: Mapping[str, Decimal] | None = None
) -> dict[str, Account]:
    """Return the accounts of both venues' pools of a pair, as the simulated market has them."""
    market = SimulatedMarket(_SEED, moved or {})
    found: dict[str, Account] = {}
    for venue in VENUES:
        found |= _accounts_of(market.pool(venue, base.symbol, quote.symbol, at), base, quote)
    return found


def _accounts_of(pool: Pool, base: Token, quote: Token) -> dict[str, Account]:
    if isinstance(pool, ConstantProductPool):
        sizes = pool.reserve_x, pool.reserve_y
        return accounts.cpmm(pool.address, base, quote, *sizes, pool.fee_bps * _PPM)
    if not isinstance(pool, DlmmPool):
        raise TypeError(f"no accounts are known of a {type(pool).__name__}")
    volatility = pool.volatility
    fields = asdict(pool.fees) | {
        "active_id": pool.active_id,
        "volatility_accumulator": volatility.accumulator,
        "volatility_reference": volatility.reference,
        "index_reference": volatility.index_reference,
        "last_update_timestamp": volatility.last_update,
    }
    bins = {id_: {"amount_x": held[0], "amount_y": held[1]} for id_, held in pool.bins.items()}
    return accounts.dlmm(pool.address, base, quote, bins, fields)


def _riches(wallet: str, tokens: set[Token]) -> dict[str, Account]:
    found = {wallet: Account(layouts.SYSTEM, _LAMPORTS, b"")}
    for token in tokens - {SOL}:
        where = layouts.associated_account(wallet, token.mint)
        found[where] = accounts.token_account(token.mint, wallet, _HELD * 10**token.decimals)
    return found


@contextmanager
def _listed(pairs: Mapping[str, tuple[Token, Token]]) -> Iterator[str]:
    """Yield the path of a file that lists the pools, as `SolanaPools` wants it."""
    kinds = dict(zip(VENUES, (Kind.CPMM, Kind.DLMM), strict=True))
    market, now = SimulatedMarket(_SEED), SystemClock().now()
    rows = [
        {
            "pair": pair,
            "venue": venue,
            "kind": kinds[venue],
            "address": market.pool(venue, base.symbol, quote.symbol, now).address,
        }
        for pair, (base, quote) in pairs.items()
        for venue in VENUES
    ]
    with NamedTemporaryFile("w", prefix="pools-", suffix=".json", dir=_FILES) as file:
        json.dump(rows, file)
        file.flush()
        yield file.name
