"""The slim server under load: its capacity, half of it for minutes, a burst, slow clients, and a queueing model of it.

    python benchmarks/load.py --artifact DIR --minutes 10

The server has one worker. A request carries `--texts` sentences. The model is simulated with the measured times of
service, and compared with the server at 1.2 times its capacity. Erlang's formula then says which concurrency a
serverless endpoint needs for 10, 100 and 1,000 requests a second.
"""

import argparse
import asyncio
import contextlib
import heapq
import itertools
import json
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import psutil

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks.results import dated, read_rows, render  # noqa: E402
from operations.local_cloud.images import serving_images  # noqa: E402
from operations.sizing.http_load import load  # noqa: E402
from operations.sizing.server import ImageServer  # noqa: E402
from operations.sizing.sizes import MAX_CONCURRENCY, MB_PER_VCPU, PRICE_PER_GB_SECOND, SIZES_MB  # noqa: E402

PLACES = 50
"""Requests that the server takes at once; further ones get a 429."""
MAY_REFUSE = 0.001
REFUSALS, P99 = 0.07, 0.35
"""How far the model may be off: in the share of refusals, and in the 99th percentile as a share of the measured one."""
HEAD = b"POST /invocations HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
SLOW = (HEAD, HEAD + b"4000000\r\n\r\n" + b" " * 2_000_000, b"")
"""What slow clients send, and no more: half a head, half a body, nothing."""
Answers = list[tuple[int, float]]
"""Status (0: the connection was lost) and seconds of each request."""


async def offer(port: int, body: bytes, gaps: Sequence[float], *, slow: int = 0) -> Answers:
    """Send a request after each of the `gaps` (seconds), answered or not, beside `slow` clients."""

    async def ask() -> tuple[int, float]:
        started, status = time.perf_counter(), 0
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.post(f"http://127.0.0.1:{port}/invocations", data=body, headers=kind) as answer:
                await answer.read()
                status = answer.status
        return status, time.perf_counter() - started

    kind, tasks, due = {"Content-Type": "application/json"}, [], time.perf_counter()
    async with contextlib.AsyncExitStack() as stack:
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        for number in range(slow):
            writer = (await asyncio.open_connection("127.0.0.1", port))[1]
            stack.callback(writer.close)
            writer.write(SLOW[number % len(SLOW)])
        for gap in gaps:
            due += gap
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(ask()))
        return list(await asyncio.gather(*tasks))


def poisson(rate: float, seconds: float) -> list[float]:
    """Return the gaps between requests that come at random, `rate` a second."""
    chance = random.Random(0)
    return [chance.expovariate(rate) for _ in range(max(1, round(rate * seconds)))]


def simulate(
    rate: float, services: Sequence[float], *, cores: int, places: int, arrivals: int = 100_000
) -> tuple[float, list[float]]:
    """Return the share of refused requests, and the seconds of the others, of a queue M/G/`cores`/`places`.

    Requests come at random, `rate` a second, and take one of `services` seconds on a core. Those that find `places`
    others are refused. With as many cores as places it is Erlang's loss system: a serverless endpoint.
    """
    chance, now, refused = random.Random(1), 0.0, 0
    free, inside, took = [0.0] * cores, list[float](), list[float]()
    for _ in range(arrivals):
        now += chance.expovariate(rate)
        while inside and inside[0] <= now:
            heapq.heappop(inside)
        if len(inside) >= places:
            refused += 1
            continue
        end = max(now, heapq.heappop(free)) + chance.choice(services)
        heapq.heappush(free, end)
        heapq.heappush(inside, end)
        took.append(end - now)
    return refused / arrivals, took


def erlang(offered: float) -> Iterator[tuple[int, float]]:
    """Yield each number of places, and the share of requests that finds all taken (Erlang's loss formula, 1917).

    `offered`: requests a second times their seconds of service, however these are distributed.
    """
    lost = 1.0
    for places in range(1, MAX_CONCURRENCY + 1):
        lost = offered * lost / (places + offered * lost)
        yield places, lost


def needed(services: Sequence[float], price: float) -> Iterator[dict[str, Any]]:
    """Yield what each rate needs of a serverless endpoint, with a part of a vCPU and with a whole one."""
    for rate, memory in itertools.product((10, 100, 1_000), SIZES_MB[:2]):
        slower = [seconds / min(1.0, memory / MB_PER_VCPU) for seconds in services]
        mean = statistics.fmean(slower)
        places = next((places for places, lost in erlang(rate * mean) if lost <= MAY_REFUSE), None)
        dollars = 1e6 * mean * memory / 1024 * price
        yield {"rate": rate, "memory": memory, "places": places, "p99": milliseconds(slower)[1], "dollars": dollars}


def milliseconds(seconds: Sequence[float]) -> list[float]:
    """Return median, 99th percentile and maximum in ms."""
    return [1e3 * float(each) for each in np.quantile(list(seconds) or [np.nan], (0.5, 0.99, 1))]


def answered(answers: Answers) -> list[float]:
    """Return the seconds of the requests that were answered with 200."""
    return [seconds for status, seconds in answers if status == 200]


async def watched(process: psutil.Process, loading: asyncio.Task[Answers]) -> tuple[float, float]:
    """Return the mean of a process's memory in MB until a load ends, and its slope in MB an hour."""
    samples = list[tuple[float, float]]()
    while not loading.done():
        samples.append((time.monotonic() / 3600, process.memory_info().rss / 1e6))
        await asyncio.wait({loading}, timeout=0.5)
    hours, megabytes = np.array(samples[len(samples) // 4 :]).T  # without the warm-up
    return float(megabytes.mean()), float(np.polyfit(hours - hours[0], megabytes, 1)[0])


async def run(port: int, process: psutil.Process, body: bytes, minutes: float) -> tuple[dict[str, Any], list[float]]:
    """Load the server; return what was measured, and the seconds of service on a core of its own."""
    long, loads = 60 * minutes, dict[str, Any]()
    short = min(10.0, long / 4)

    def note(name: str, answers: Answers, seconds: float) -> Answers:
        statuses = Counter(status for status, _ in answers)
        loads[name] = {"rate": len(answers) / seconds, "statuses": statuses, "ms": milliseconds(answered(answers))}
        return answers

    def closed(clients: int, when: str = "") -> tuple[float, list[float]]:
        found = load(port, [body], connections=clients, requests=1e9, seconds=short)
        note(f"{clients} at a time{when}", [(200, seconds) for seconds in found.seconds], found.elapsed)
        return found.rate, found.seconds

    capacity, before = closed(PLACES)[0], sum(process.cpu_times()[:2])
    alone = closed(1)[1]
    busy = (sum(process.cpu_times()[:2]) - before) / len(alone)  # without what other processes took of the core
    loading = asyncio.create_task(offer(port, body, poisson(capacity / 2, long)))
    memory = await watched(process, loading)
    note("half of the capacity", loading.result(), long)
    burst = await offer(port, body, [0.0] * 10 * PLACES)
    note(f"{10 * PLACES} requests at once", burst, max(seconds for _, seconds in burst))
    beside = await offer(port, body, poisson(capacity / 4, short), slow=30)
    note("a quarter of it, beside 30 slow clients", beside, short)
    again = closed(PLACES, " again")[0]
    gaps = poisson(1.2 * again, 3 * short)
    over = note("1.2 times the capacity", await offer(port, body, gaps), sum(gaps))
    # Together requests share passes of the model: the times of service are those of one client, with the mean of many.
    faster = 2 / ((again + closed(PLACES, " at last")[0]) * statistics.fmean(alone))
    services = [faster * seconds for seconds in alone]
    refused, took = simulate(len(gaps) / sum(gaps), services, cores=1, places=PLACES)
    measured = sum(status == 429 for status, _ in over) / len(over)
    return {
        "loads": loads,
        "errors": sum(status != 200 for status, _ in (*loading.result(), *beside))
        + sum(status not in (200, 429) for status, _ in burst),
        "memory": memory,
        "busy": busy,
        "refused": (measured, refused),
        "p99": (milliseconds(answered(over))[1], milliseconds(took)[1]),
    }, [busy / statistics.fmean(alone) * seconds for seconds in alone]


def main() -> int:
    """Run it and print the report; 0 if everything held."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--artifact", type=Path, required=True, help="folder of the unpacked model.tar.gz")
    parser.add_argument("--data", type=Path, default=ROOT / "training_job" / "data" / "test.json", help="the sentences")
    parser.add_argument("--texts", type=int, default=16, help="sentences a request, 1 to 100 (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=10, help="at half of the capacity (default: %(default)s)")
    parser.add_argument("--price", type=float, default=PRICE_PER_GB_SECOND, help="dollars a GB second (%(default)s)")
    options = parser.parse_args()
    body = json.dumps({"inputs": [row["sentence"] for row in read_rows(options.data)][: options.texts]}).encode()
    variables = {"SERVING_WORKERS": "1", "SERVING_QUEUE": str(PLACES - 1)}
    with ImageServer(serving_images()["slim"], options.artifact, variables=variables) as server:
        server.await_answer("ready?")
        found, services = asyncio.run(run(server.port, psutil.Process(server.process.pid), body, options.minutes))
    versions = {"aiohttp": aiohttp.__version__, "numpy": np.__version__}
    result = dated(versions, {"texts": options.texts, "minutes": options.minutes}) | found
    result |= {"needed": list(needed(services, options.price)), "price": options.price, "may_refuse": MAY_REFUSE}
    text = render("load_report.md.jinja", result, tolerance=(REFUSALS, P99))
    print(text)
    return int("**missed**" in text or found["errors"] > 0)


if __name__ == "__main__":
    sys.exit(main())
