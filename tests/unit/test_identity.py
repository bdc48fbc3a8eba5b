"""Keys and tickets: who is who, for how long, and what is never stored."""

from dataclasses import dataclass, field

import pytest

from engine.domain.errors import Unauthenticated
from engine.ports.access import Caller
from engine.service.identity import ANYONE, Identity, digest_of, new_key
from tests.fakes import FakeChance, FakeClock, MemoryAccess


@dataclass
class World:
    access: MemoryAccess = field(default_factory=MemoryAccess)
    clock: FakeClock = field(default_factory=FakeClock)
    chance: FakeChance = field(default_factory=FakeChance)
    required: bool = True

    def __post_init__(self) -> None:
        self.identity = Identity(self.access, self.clock, self.chance, self.required)

    def new(self, account: str) -> str:
        text, stored = new_key(account, self.chance)
        self.access.add_key(stored)
        assert text not in str(self.access)
        return text


def test_a_key_is_its_account() -> None:
    world = World()
    ann, bob = world.new("ann"), world.new("bob")
    assert world.identity.account_of_key(ann) == "ann"
    assert world.identity.account_of_key(bob) == "bob"


def test_without_keys_everybody_is_anyone() -> None:
    assert World(required=False).identity.account_of_key(None) == ANYONE


def test_what_is_no_good_key_is_nobody() -> None:
    world = World()
    ann, bob = world.new("ann"), world.new("bob")
    swapped = ann[:21] + bob[21:]
    for key in (None, "", "x", ann[:-1], ann + "a", ann.upper(), swapped, digest_of(ann), "oek_"):
        with pytest.raises(Unauthenticated):
            world.identity.account_of_key(key)


def test_a_key_is_read_once_in_ten_seconds_and_a_revoked_one_is_found_out_then() -> None:
    world = World()
    ann = world.new("ann")
    for _ in range(5):
        world.identity.account_of_key(ann)
    assert world.access.reads == 1
    world.access.revoke_key(next(iter(world.access.keys)))
    world.clock.advance(10)
    with pytest.raises(Unauthenticated):
        world.identity.account_of_key(ann)


def test_guessing_keys_does_not_fill_the_memory() -> None:
    world = World()
    for n in range(2_500):
        with pytest.raises(Unauthenticated):
            world.identity.account_of_key(f"oek_{n:016x}_{'0' * 64}")
    assert len(world.identity._seen) <= 1_000


def test_a_ticket_is_good_once_and_for_a_minute() -> None:
    world = World()
    ann = world.identity.caller_of_key(world.new("ann"))
    first, second = (world.identity.issue_ticket(ann) for _ in range(2))
    assert first.text not in str(world.access)
    assert world.identity.caller_of_ticket(first.text) == ann
    world.identity.use_ticket(first.text)
    with pytest.raises(Unauthenticated):
        world.identity.use_ticket(first.text)
    with pytest.raises(Unauthenticated):
        world.identity.caller_of_ticket(first.text)
    world.clock.advance(60)
    with pytest.raises(Unauthenticated):
        world.identity.caller_of_ticket(second.text)
    with pytest.raises(Unauthenticated):
        world.identity.caller_of_ticket("")


def test_where_keys_are_asked_for_a_ticket_without_one_is_worthless() -> None:
    world = World()
    ticket = world.identity.issue_ticket(Caller("ann"))
    with pytest.raises(Unauthenticated):
        world.identity.caller_of_ticket(ticket.text)


def test_whether_a_key_is_good_is_believed_for_ten_seconds_or_asked_anew() -> None:
    world = World()
    key_id = str(world.identity.caller_of_key(world.new("ann")).key_id)
    world.access.revoke_key(key_id)
    assert world.identity.is_good(key_id)
    assert not world.identity.is_good(key_id, fresh=True)
    assert not world.identity.is_good(key_id)


@pytest.mark.parametrize("account", ["", "a b", "a\nb", "a#b", "x" * 65, "é"])
def test_an_account_has_a_plain_name(account: str) -> None:
    with pytest.raises(ValueError, match="name"):
        new_key(account, FakeChance())
