"""Counting the processor cores that the process may use, and mapping over them."""

import os

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from fashion_gan.generator import Generator
from fashion_gan.system import parallel
from fashion_gan.system.parallel import available_cpus, parallel_map


def blas_threads():
    np.ones((2, 2)) @ np.ones((2, 2))
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}


@pytest.fixture
def three_cores(monkeypatch):
    """The process is pinned to three cores and has no container's limit."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 4, 5}, raising=False)
    monkeypatch.setattr(parallel, "CGROUP_FILES", ())


def test_a_pinned_process_counts_only_its_cores(three_cores):
    assert available_cpus() == 3
    assert Generator.from_pretrained().threads == 3
    assert Generator.from_pretrained(threads=2).threads == 2


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        (["200000 100000"], 2),  # version 2 of control groups: quota and period in one file
        (["150000 100000"], 2),
        (["50000 100000"], 1),
        (["400000 100000"], 3),  # more than the process's cores
        (["max 100000"], 3),
        (["200000\n", "100000\n"], 2),  # version 1: a file for each
        (["-1\n", "100000\n"], 3),
        (["not a number"], 3),
        ([""], 3),
        ([None], 3),
    ],
)
def test_a_container_s_cpu_limit_is_a_bound(three_cores, monkeypatch, tmp_path, contents, expected):
    paths = [tmp_path / str(number) for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        if content is not None:
            path.write_text(content)
    monkeypatch.setattr(parallel, "CGROUP_FILES", (paths,))
    assert available_cpus() == expected


def test_results_have_the_order_of_the_items():
    assert list(parallel_map(lambda number: number**2, range(100))) == [number**2 for number in range(100)]


def test_an_error_in_the_function_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(parallel_map(lambda number: 1 / number, (1, 0, 2)))


def test_matrix_products_use_one_core_during_the_map_and_all_afterwards():
    before = blas_threads()
    assert list(parallel_map(lambda _: blas_threads(), range(3))) == [{1}] * 3
    assert blas_threads() == before
