"""The ways to draw a data set with many jobs, as the how-to guide has them: xargs, Slurm's array jobs, and Dask."""

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from pages import ROOT, blocks

import fashion_gan
from fashion_gan.datasets.writers import checksums

PAGE = (ROOT / "docs" / "how_to" / "data_sets_from_many_jobs.md").read_text(encoding="utf-8")
COUNT, SHARDS = 47, 3


def block(language, words):
    """The only block of the page in a language that holds these words."""
    (content,) = [content for name, content in blocks(PAGE) if name == language and words in content]
    return content


def shortened(script, count=COUNT, shards=SHARDS):
    """The script with fewer images and shards."""
    script = re.sub(r"--count \d+", f"--count {count}", script)
    return re.sub(r"/1000\b", f"/{shards}", script).replace("seq 1000", f"seq {shards}")


@pytest.fixture
def environment(tmp_path):
    """The environment of a user whose shell finds ``fashion-gan``."""
    program = tmp_path / "bin" / "fashion-gan"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fashion_gan "$@"\n')
    program.chmod(0o755)
    return {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """The checksums of the merged data set in a format, made in this process."""

    def of(format, count=COUNT, shards=SHARDS):
        folder = tmp_path_factory.mktemp(format) / "many"
        for number in range(1, shards + 1):
            fashion_gan.make_dataset(folder, count=count, shard=f"{number}/{shards}", format=format)
        fashion_gan.merge_dataset(folder)
        return checksums(folder)

    return of


def bash(script, folder, environment):
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(shutil.which("xargs") is None, reason="xargs is not installed")
def test_xargs_draws_all_shards(tmp_path, environment, expected):
    bash(shortened(block("shell", "xargs")), tmp_path, environment)
    assert checksums(tmp_path / "many") == expected("webdataset")


def test_slurm_s_array_jobs_draw_all_shards(tmp_path, environment, expected):
    script = block("shell", "#SBATCH")
    assert re.search(r"--array=1-(\d+)", script)[1] == re.search(r"SLURM_ARRAY_TASK_ID/(\d+)", script)[1]
    assert script.startswith("#!/bin/bash\n")
    (tmp_path / "many.sh").write_text(shortened(script))
    subprocess.run(["bash", "-n", "many.sh"], cwd=tmp_path, check=True)
    for number in (2, 3, 1, 2):  # One of them is requeued.
        bash("bash many.sh", tmp_path, {**environment, "SLURM_ARRAY_TASK_ID": str(number)})
    # A sbatch that runs the wrapped command at once, as Slurm does after the jobs.
    sbatch = tmp_path / "bin" / "sbatch"
    sbatch.write_text(
        '#!/bin/bash\nif [ "$1" = --parsable ]; then echo 7; else [ "$1" = --dependency=afterok:7 ] && $3; fi\n'
    )
    sbatch.chmod(0o755)
    bash(block("shell", "sbatch --parsable"), tmp_path, environment)
    assert checksums(tmp_path / "many") == expected("parquet")


def test_dask_repeats_the_shard_of_a_worker_that_is_killed(tmp_path, expected):
    pytest.importorskip("distributed")
    count, shards = 3000, 3
    script = block("python", "LocalCluster").replace("1_000_000, 100,", f"{count}, {shards},")
    assert f"{count}, {shards}," in script
    (tmp_path / "many.py").write_text(script)
    words = [sys.executable, "many.py"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        killed = kill_a_writer(tmp_path / "many", process)
        output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert output == f"{count} images\n"
    with pytest.raises(ProcessLookupError):
        os.kill(killed, 0)
    assert checksums(tmp_path / "many") == expected("webdataset", count, shards)


def kill_a_writer(folder, process):
    """Kill a worker while it writes a shard. The name of the file that it writes holds its process's number."""
    deadline = time.monotonic() + 100
    while process.poll() is None and time.monotonic() < deadline:
        for path in folder.glob(".writing-*.tar"):
            number = int(path.name.split("-")[1])
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
                return number
        time.sleep(0.01)
    pytest.fail("no worker wrote a shard")
