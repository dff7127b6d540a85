"""Load on the explorer: many clients at once on 127.0.0.1; requests lost, how long they take, the server's memory.

python benchmarks/explorer.py                      # 50 clients for 60 seconds, 16 pictures a request
python benchmarks/explorer.py --seconds 20
"""

import asyncio
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import httpx
import numpy as np


@click.command()
@click.option("--clients", default=50, show_default=True)
@click.option("--seconds", default=60.0, show_default=True)
@click.option("--pictures", default=16, show_default=True, help="of each request")
def main(clients, seconds, pictures):
    begun = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "fashion_gan", "explore", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    try:
        url = re.search(r"http://\S+/", server.stdout.readline()).group()
        httpx.get(url, trust_env=False).raise_for_status()
        print(f"up after {time.perf_counter() - begun:.2f} s")
        alone, _ = asyncio.run(load(url, 1, min(5.0, seconds), pictures))
        report("one client", alone, 0)
        before = memory_mib(server.pid)
        took, lost = asyncio.run(load(url, clients, seconds, pictures))
        report(f"{clients} clients, {seconds:g} s", took, lost)
        half = memory_mib(server.pid)
        took, lost = asyncio.run(load(url, clients, seconds / 2, pictures))
        report("half as long again", took, lost)
        print(f"server's memory: {before:.0f} MiB before, {half:.0f} after, {memory_mib(server.pid):.0f} at the end")
    finally:
        server.send_signal(signal.SIGINT)
        server.wait()


async def load(url, clients, seconds, pictures):
    """Seconds that each answered request took, and how many were not answered with pictures."""
    end = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60.0, trust_env=False) as client:
        found = await asyncio.gather(*(ask(client, number, end, pictures) for number in range(clients)))
    return np.concatenate([np.array(took) for took, _ in found]), sum(lost for _, lost in found)


async def ask(client, number, end, pictures):
    took, lost, seed = [], 0, number
    while (begun := time.perf_counter()) < end:
        seed += 1000
        try:
            answer = await client.post("api/draw", json={"seed": seed, "count": pictures})
            if answer.status_code != 200 or answer.json()["count"] != pictures:
                lost += 1
                print(f"lost: {answer.status_code} {answer.text[:200]}")
        except httpx.HTTPError as error:
            lost += 1
            print(f"lost after {time.perf_counter() - begun:.3f} s: {error!r}")
        took.append(time.perf_counter() - begun)
    return took, lost


def report(what, took, lost):
    median, late = np.quantile(1000 * took, [0.5, 0.99])
    print(f"{what}: {len(took)} requests, {lost} lost, median {median:.0f} ms, 99 % within {late:.0f} ms")


def memory_mib(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


if __name__ == "__main__":
    main()
