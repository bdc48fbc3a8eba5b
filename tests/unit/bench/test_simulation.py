"""The simulation does what its parts say, and the same twice."""

import pytest

from bench.simulation import simulated

FIXED = {"quote": (0.3, 0.3), "confirm": (0.6, 0.6), "settle_cpu": 0.0, "accept_cpu": 0.0}


def test_the_same_seed_gives_the_same_run() -> None:
    assert simulated(seed=7) == simulated(seed=7)
    assert simulated(seed=7) != simulated(seed=8)


def test_one_order_takes_its_delays_and_its_calls() -> None:
    alone = simulated(orders=1, clients=1, call=0.0, pick_up=0.0, **FIXED)
    assert alone.settle_p50 == pytest.approx(0.9, abs=0.01)


def test_ten_workers_with_one_order_each_come_near_their_ideal() -> None:
    run = simulated(orders=500, orders_per_worker=1, call=0.0, pick_up=0.0, **FIXED)
    assert run.per_s == pytest.approx(10 / 0.9, rel=0.03)
    assert run.workers_busy > 0.95


def test_a_batch_shares_its_waiting() -> None:
    one = simulated(orders=500, orders_per_worker=1, **FIXED)
    ten = simulated(orders=500, orders_per_worker=10, **FIXED)
    assert 5 < ten.per_s / one.per_s <= 10


def test_processors_that_all_share_bound_the_rate() -> None:
    run = simulated(orders=300, cores=2, accept_cpu=0.05, settle_cpu=0.05, announce_cpu=0.0)
    assert run.per_s < 2 / 0.1


def test_one_process_that_answers_all_calls_bounds_the_rate() -> None:
    run = simulated(orders=300, cores=8, cloud_accept=0.03, cloud_settle=0.02)
    assert run.per_s < 1 / 0.05


def test_more_orders_than_workers_can_settle_wait_in_the_queue() -> None:
    calm, flooded = simulated(orders=600, rate=20), simulated(orders=600, rate=200)
    assert flooded.longest_queue > 10 * calm.longest_queue
    assert flooded.settle_p99 > 2 * calm.settle_p99


def test_an_index_that_is_full_holds_the_orders_up() -> None:
    free = simulated(orders=400, rate=200, workers=100)
    full = simulated(orders=400, rate=200, workers=100, open_shards=1, shard_writes=100)
    assert full.per_s < 60 < free.per_s


def test_a_lane_that_is_late_takes_larger_batches() -> None:
    wide = simulated(orders=400, rate=50, lanes=10)
    narrow = simulated(orders=400, rate=50, stream_shards=1, lanes=1)
    assert narrow.changes_in_batch > 3 * wide.changes_in_batch
    assert narrow.push_p99 > wide.push_p99
