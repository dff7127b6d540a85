"""Load test of the explorer: many clients at once on 127.0.0.1. Prints lost requests, latencies and server memory.

python benchmarks/explorer.py                      # 50 clients for 60 seconds, 16 pictures per request
python benchmarks/explorer.py --seconds 20
"""

import asyncio
import re
import time
from pathlib import Path

import click
import httpx
import numpy as np
from processes import explorer_server


@click.command()
@click.option("--clients", default=50, show_default=True, help="Clients that send requests at the same time.")
@click.option("--seconds", default=60.0, show_default=True, help="Length of the first part; the second is half of it.")
@click.option("--pictures", default=16, show_default=True, help="Pictures per request.")
def main(clients, seconds, pictures):
    started = time.perf_counter()
    with explorer_server() as (server, url):
        httpx.get(url, trust_env=False).raise_for_status()
        print(f"up after {time.perf_counter() - started:.2f} s")
        latencies, _ = asyncio.run(run_clients(url, 1, min(5.0, seconds), pictures))
        report("one client", latencies, 0)
        memory_before = memory_mib(server.pid)
        report(f"{clients} clients, {seconds:g} s", *asyncio.run(run_clients(url, clients, seconds, pictures)))
        memory_after = memory_mib(server.pid)
        report(f"again, {seconds / 2:g} s", *asyncio.run(run_clients(url, clients, seconds / 2, pictures)))
        memory_at_end = memory_mib(server.pid)
        print(
            f"server's memory: {memory_before:.0f} MiB before, {memory_after:.0f} after, {memory_at_end:.0f} at the end"
        )


async def run_clients(url, clients, seconds, pictures):
    """Send requests from several clients. Returns the latencies in seconds, and the number of lost requests."""
    end = time.perf_counter() + seconds
    limits = httpx.Limits(max_connections=clients, max_keepalive_connections=clients)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60.0, trust_env=False) as client:
        results = await asyncio.gather(*(run_client(client, number, end, pictures) for number in range(clients)))
    return np.concatenate([np.array(latencies) for latencies, _ in results]), sum(lost for _, lost in results)


async def run_client(client, number, end, pictures):
    """Ask for pictures until the end time, one request after the other."""
    latencies, lost, seed = [], 0, number
    while (started := time.perf_counter()) < end:
        seed += 1000
        try:
            answer = await client.post("api/draw", json={"seed": seed, "count": pictures})
            if answer.status_code != 200 or answer.json()["count"] != pictures:
                lost += 1
                print(f"lost: {answer.status_code} {answer.text[:200]}")
        except httpx.HTTPError as error:
            lost += 1
            print(f"lost after {time.perf_counter() - started:.3f} s: {error!r}")
        latencies.append(time.perf_counter() - started)
    return latencies, lost


def report(title, latencies, lost):
    median, late = np.quantile(1000 * latencies, [0.5, 0.99])
    print(f"{title}: {len(latencies)} requests, {lost} lost, median {median:.0f} ms, 99% within {late:.0f} ms")


def memory_mib(pid):
    """Resident memory of a process, in MiB."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024


if __name__ == "__main__":
    main()
