"""What a month costs: this configuration beside other ways to serve, and where each is the cheapest."""

import argparse
import json
import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import jmespath
import numpy
import pandas
from matplotlib.figure import Figure

from operations import paths
from operations.console import Answer, filled
from operations.sizing import sizes
from operations.verbs.deployment.config import configuration
from stacks.config.environment import Config

PRICES, ASKED = paths.ROOT / "operations" / "costs" / "prices.toml", paths.LOCAL / "prices.json"
MEASURED = max((paths.ROOT / "docs" / "benchmarks").glob("serving-*.json"))
HOURS, SECONDS = 730, 730 * 3600  # of a month, as AWS reckons
LAMBDA_GB_SECONDS = 0.5 * 0.03  # of a request; 30 ms, the endpoint's included, are assumed: nothing was measured on AWS
DRAWN = numpy.logspace(2, 10, 401)  # predictions a month
FIRST, COMPREHEND = "this configuration", "Comprehend custom classification"
Cost = Callable[[Any], Any]  # predictions a month → US dollars a month, for one or an array; nan: a price is not known


def cost(arguments: argparse.Namespace) -> Answer:
    """Estimate a month's costs of this configuration and of other ways to serve, and say where each is the cheapest.

    From service times measured on one core (docs/benchmarks), and prices with their sources: docs/costs.md.
    For example: make cost ENV=prod CONTEXT="serving.container=slim" ARGS="--predictions 1e6 --trainings 4"
    """
    config, file = configuration(arguments.env), paths.LOCAL / "cost.svg"
    listed = _prices(config.region, refresh=arguments.refresh)
    price = defaultdict(lambda: numpy.nan, {name: one["price"] for name, one in listed["prices"].items()})
    rows = pandas.DataFrame(months(config, price, arguments, arguments.predictions))
    totals = {row["name"]: row["total"] for row in months(config, price, arguments, DRAWN)}
    table = pandas.DataFrame(totals, DRAWN).dropna(axis="columns")
    _draw(table, arguments.predictions, file)
    document = {name: vars(arguments)[name] for name in ("env", "predictions", "trainings", "minutes", "characters")}
    document |= {"deployed_to": config.region, "measured": MEASURED.name, **listed, "plot": str(file)}
    document["months"] = rows.astype(object).replace({numpy.nan: None}).to_dict("records")
    best = table.idxmin(axis="columns")
    document["cheapest"] = [{"from": at, "name": name} for at, name in best[best != best.shift()].items()]
    if FIRST in table:
        less = table.lt(table[FIRST], axis="index")
        document["less_than_this"] = [{"from": less[name].idxmax(), "name": name} for name in less if less[name].any()]
    document["unknown"] = [name for name, value in price.items() if numpy.isnan(value)]
    return Answer(document, filled("costs/report.txt.jinja", **document))


def months(
    config: Config, price: dict[str, float], arguments: argparse.Namespace, count: Any
) -> Iterator[dict[str, Any]]:
    """Yield of each way to serve its name, and the parts and the total of a month with `count` predictions, or many."""
    job, waf, hours = config.training, config.api.waf, arguments.trainings * arguments.minutes / 60
    jobs = job.instance_count * price[f"Train:{job.instance_type}"] + price[f"Tsform:{config.evidence_instance_type}"]
    fixed = (price["firewall"] + 3 * price["firewall-rule"]) * waf + price["kms-key"] * config.own_key
    each = price["ApiGatewayRequest"] + price["Request"] + LAMBDA_GB_SECONDS * price["Lambda-GB-Second"]
    api = fixed + count * (each + price["firewall-request"] * waf)
    for name, way in endpoints(config, price, arguments.characters).items():
        endpoint, own = way(count), hours * (price["comprehend-training"] if name == COMPREHEND else jobs)
        yield {"name": name, "endpoint": endpoint, "api": api, "jobs": own, "total": endpoint + api + own}


def endpoints(config: Config, price: dict[str, float], characters: float) -> dict[str, Cost]:
    """Return the ways to serve, this configuration's first, with the costs of their endpoints alone."""
    serving, fleet = config.serving, config.serving.instances
    figures = json.loads(MEASURED.read_text(encoding="utf-8"))["figures"]

    def serverless(server: str, memory_mb: int, warm: int = 0) -> Cost:
        seconds, gb = sizes.billed_seconds(1 / figures[server]["rate_1"], memory_mb), memory_mb / 2048
        usual = gb * price["ServerlessInf:Mem-2GB"]
        if not warm:
            return lambda n: n * seconds * usual
        kept, cheaper = (gb * price[f"ProvisionedConcurrency:{of}-2GB"] for of in ("Usage", "Mem"))
        kept, most = kept * warm * SECONDS, warm * SECONDS / sizes.BURST  # beyond, none of the warm ones is free
        return lambda n: kept + n * seconds * usual - numpy.minimum(n * seconds, most) * (usual - cheaper)

    def units(a_second: float, fewest: int, hour: float) -> Cost:
        return lambda n: numpy.maximum(fewest, numpy.ceil(n / SECONDS * sizes.BURST / a_second)) * hour * HOURS

    least, hour = fleet.min_count, price[f"Host:{fleet.instance_type}"]
    instances = {name: units(fleet.workers * of["rate_16"], least, hour) for name, of in figures.items()}
    mine = serverless(serving.container, serving.memory_mb, serving.provisioned_concurrency.min)
    read = units(100 / characters, 1, price["comprehend-unit"] * 3600)
    return {
        FIRST: mine if serving.kind == "serverless" else instances[serving.container],
        "stock container, 4096 MB": serverless("stock", 4096),
        "slim, 1024 MB": serverless("slim", 1024),
        "slim, 1024 MB, one kept warm": serverless("slim", 1024, warm=1),
        f"slim, {least} × {fleet.instance_type} or more": instances["slim"],
        COMPREHEND: lambda n: read(n) + price["comprehend-model"],
    }


def _draw(table: pandas.DataFrame, count: float, file: Path) -> None:
    """Draw the costs of each way against predictions, and a line where `count` of them are."""
    titles = {"xlabel": "predictions a month", "ylabel": "US dollars a month"}
    axes = table.plot(ax=Figure(figsize=(8, 5)).subplots(), loglog=True, **titles)
    axes.axvline(count, color="grey", linewidth=0.5)
    axes.figure.savefig(file, bbox_inches="tight", metadata={"Date": None})


def _prices(region: str, *, refresh: bool) -> dict[str, Any]:
    """Return `prices` by name, and the `region` that they are of; `refresh`: AWS's Price List API is asked first."""
    shipped = tomllib.loads(PRICES.read_text(encoding="utf-8"))
    if refresh:
        asked = {"region": region, "prices": dict(_asked(region, shipped["prices"]))}
        ASKED.write_text(json.dumps(asked, indent=2), encoding="utf-8")
    asked = json.loads(ASKED.read_text(encoding="utf-8")) if ASKED.exists() else {}
    mine = asked if asked.get("region") == region else {"prices": {}}
    return shipped | mine | {"prices": shipped["prices"] | mine["prices"]}


def _asked(region: str, shipped: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield AWS's own prices of what is in the shipped ones, and of all instances: name, entry."""
    instance = {"service": "AmazonSageMaker", "unit": "hour of an instance"}
    told = {"source": "AWS Price List API, GetProducts", "date": datetime.now(UTC).date().isoformat(), "note": ""}
    pages = boto3.client("pricing", region_name="us-east-1").get_paginator("get_products")  # of every region
    only = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}]
    for service in sorted({one["service"] for one in shipped.values() if "service" in one}):
        for product in map(json.loads, pages.paginate(ServiceCode=service, Filters=only).search("PriceList[]")):
            name = re.sub(r"^[A-Z]{2,4}\d?-", "", jmespath.search("product.attributes.usagetype", product) or "")
            entry = shipped.get(name, instance if re.match("(Host|Train|Tsform):", name) else {})
            steps = jmespath.search("terms.OnDemand.*.priceDimensions[].*[].[beginRange, pricePerUnit.USD]", product)
            paid = sorted((float(begin), float(price)) for begin, price in steps or () if float(price or 0))
            if paid and entry.get("service") == service:
                yield name, {**entry, **told, "price": paid[0][1]}  # of the first step that costs something
