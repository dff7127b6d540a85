"""Those cores are counted that are ours. Pieces of work on all of them: in order, with what goes wrong in one."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from fashion_gan.cores import on_all_cores, usable
from fashion_gan.generator import Generator


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


def test_the_cores_counted_are_those_the_process_is_pinned_to(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 4, 5}, raising=False)
    assert usable() == 3
    assert Generator.from_pretrained().threads == 3
    assert Generator.from_pretrained(threads=2).threads == 2


def test_results_come_in_the_order_of_the_things():
    assert list(on_all_cores(lambda number: number**2, range(100))) == [number**2 for number in range(100)]


def test_what_a_piece_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(on_all_cores(lambda number: 1 / number, (1, 0, 2)))


def test_products_of_matrices_keep_to_one_core_meanwhile_and_not_after():
    before = blas_threads()
    assert list(on_all_cores(lambda _: blas_threads(), range(3))) == [{1}] * 3
    assert blas_threads() == before
