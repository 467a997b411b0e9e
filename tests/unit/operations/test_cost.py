"""`make cost`: the arithmetic, where each way is the cheapest, and prices that have a source or are asked of AWS."""

from __future__ import annotations

import json
import re
import tomllib
from collections import defaultdict
from math import nan
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from botocore.stub import Stubber
from matplotlib.figure import Figure

from operations import paths
from operations.__main__ import main
from operations.sizing import sizes
from operations.verbs.deployment import config as config_verb
from operations.verbs.deployment import cost as verb
from operations.verbs.deployment.config import configuration
from stubbed_deployment import CREDENTIALS

SLIM, WARM, COMPREHEND = "slim, 1024 MB", "slim, 1024 MB, one kept warm", verb.COMPREHEND
KEPT = "serving.provisioned_concurrency"
FLEET = "slim, 2 × ml.c5.large or more"
SHIPPED = tomllib.loads(verb.PRICES.read_text(encoding="utf-8"))["prices"]
SAVE = Figure.savefig
RATES = json.loads(verb.MEASURED.read_text(encoding="utf-8"))["figures"]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No region but the default, nothing asked of AWS before, and nothing drawn."""
    for name in config_verb.REGIONS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(verb, "ASKED", tmp_path / "prices.json")
    monkeypatch.setattr(paths, "LOCAL", tmp_path)
    monkeypatch.setattr(Figure, "savefig", lambda *_, **__: None)  # it takes longer than all the rest


def costs(capsys: pytest.CaptureFixture[str], *options: str, env: str = "dev") -> dict[str, Any]:
    """What `make cost ARGS=--json` prints."""
    assert main(["cost", "--env", env, "--json", *options]) == 0
    return dict(json.loads(capsys.readouterr().out))


def months(found: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Way → its costs."""
    return {row["name"]: row for row in found["months"]}


def endpoint(name: str, count: float) -> float:
    """What a month of this endpoint alone costs."""
    price = defaultdict(lambda: nan, {key: one["price"] for key, one in SHIPPED.items()})
    return float(verb.endpoints(configuration("dev"), price, 100)[name](count))


def test_a_serverless_request_costs_its_memory_for_its_milliseconds(capsys: pytest.CaptureFixture[str]) -> None:
    """Worked by hand: 1 / 718.5 s on one core are 2.4 ms with 1024 MB of 1769, billed as 3; stock with 4096 MB: 13."""
    found = months(costs(capsys, "--predictions", "1e6"))
    assert found[SLIM]["endpoint"] == pytest.approx(1e6 * 0.003 * 1 * 0.00002)
    assert found["stock container, 4096 MB"]["endpoint"] == pytest.approx(1e6 * 0.013 * 4 * 0.00002)


def test_the_parts_add_up(capsys: pytest.CaptureFixture[str]) -> None:
    """API Gateway, Lambda with 512 MB for 30 ms, and an hour of two jobs; Comprehend trains at its own price."""
    found = months(costs(capsys, "--predictions", "1e6"))
    assert found[SLIM]["api"] == pytest.approx(3.5 + 0.2 + 1e6 * 0.5 * 0.03 * 0.0000166667)
    assert found[SLIM]["jobs"] == pytest.approx(0.7364 + 0.115)
    assert found[COMPREHEND]["jobs"] == pytest.approx(3.0)
    for row in found.values():
        assert row["total"] == pytest.approx(row["endpoint"] + row["api"] + row["jobs"])


def test_firewall_and_key_count_where_they_are_configured(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A web ACL, its three rules, its requests, and a key: 9 dollars, and 60 cents a million."""
    plain = months(costs(capsys, "--predictions", "1e6"))[SLIM]["api"]
    monkeypatch.setenv("CONTEXT", "api.waf=true own_key=true")
    assert months(costs(capsys, "--predictions", "1e6"))[SLIM]["api"] == pytest.approx(plain + 5 + 3 + 1 + 0.6)


def test_instances_are_added_before_the_busiest_time_fills_them() -> None:
    """Two answer half of what they can at most; the load that needs a third costs half as much more."""
    full = 2 * 2 * RATES["slim"]["rate_16"] / sizes.BURST * verb.SECONDS
    assert endpoint(FLEET, full * 0.999) == pytest.approx(2 * 0.102 * 730)
    assert endpoint(FLEET, full * 1.001) == pytest.approx(3 * 0.102 * 730)


def test_a_comprehend_unit_reads_a_hundred_characters_a_second() -> None:
    """One unit all month, and a second one beyond half a text of 100 characters a second."""
    month = 0.0005 * verb.SECONDS
    assert endpoint(COMPREHEND, 100) == pytest.approx(month + 0.5)
    assert endpoint(COMPREHEND, verb.SECONDS * 0.51) == pytest.approx(2 * month + 0.5)


def test_what_the_warm_ones_can_not_take_costs_the_usual_price() -> None:
    """A warm environment costs its month and makes its own inference cheaper; the rest costs as without it."""
    kept, limit = verb.SECONDS * 0.000005, verb.SECONDS / 0.003 / sizes.BURST
    assert endpoint(WARM, 1e6) == pytest.approx(kept + 1e6 * 0.003 * 0.0000233 / 2)
    beyond = endpoint(WARM, 2 * limit) - endpoint(WARM, limit)
    assert beyond == pytest.approx(endpoint(SLIM, limit))


def test_where_the_cheapest_changes_both_cost_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    """Before a crossing point the one is cheaper, behind it the other; they are 5 % apart at most."""
    found = costs(capsys)
    assert len(found["cheapest"]) > 1
    for before, after in zip(found["cheapest"], found["cheapest"][1:], strict=False):
        below = months(costs(capsys, "--predictions", str(after["from"] * 0.95)))
        above = months(costs(capsys, "--predictions", str(after["from"])))
        assert below[before["name"]]["total"] < below[after["name"]]["total"]
        assert above[after["name"]]["total"] <= above[before["name"]]["total"]


@pytest.mark.parametrize(
    ("context", "same"),
    [
        ("serving.container=slim serving.memory_mb=1024", SLIM),
        (
            "serving.container=slim serving.memory_mb=1024 " + " ".join(f"{KEPT}.{one}=1" for one in ("min", "max")),
            WARM,
        ),
        ("serving.container=slim serving.kind=instances serving.hub_model_id= serving.hub_model_revision=", FLEET),
    ],
)
def test_this_configuration_is_what_is_configured(
    context: str, same: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """CONTEXT counts: configured like one of the others, it costs the same."""
    monkeypatch.setenv("CONTEXT", context)
    found = months(costs(capsys, "--predictions", "1e8"))
    assert found[verb.FIRST]["total"] == pytest.approx(found[same]["total"])


def test_a_price_that_nobody_entered_is_not_guessed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ways that need it have no figure and are not compared; the price is named, with the file to enter it in."""
    monkeypatch.setenv("CONTEXT", "serving.instances.instance_type=ml.c6i.large")
    assert main(["cost", "--env", "dev"]) == 0
    text = capsys.readouterr().out
    assert "? No price is known: Host:ml.c6i.large." in text and "operations/costs/prices.toml" in text
    assert re.search(r"slim, 2 × ml\.c6i\.large or more +\? .* \?\n", text)
    found = costs(capsys)
    assert months(found)["slim, 2 × ml.c6i.large or more"]["total"] is None
    assert {one["name"] for one in found["cheapest"]} == {SLIM}


def test_every_price_has_its_unit_its_date_and_its_source() -> None:
    """No figure without an address where it can be read, and the date of what is written there, if it has one."""
    for name, one in SHIPPED.items():
        assert one["price"] > 0 and one["unit"], name
        assert re.fullmatch(r"\d{4}-\d\d-\d\d|undated", one["date"]), name
        assert re.match(r"https://(github\.com/[^/]+/[^/]+/blob/[0-9a-f]{40}/|docs\.aws|aws\.amazon)", one["source"]), (
            name
        )


def test_constants_are_those_of_the_stacks() -> None:
    """The function's memory, the firewall's three rules, and the price that `make size-endpoint` takes."""
    function = (paths.ROOT / "stacks" / "api" / "predict_function.py").read_text()
    rules = yaml.safe_load((paths.ROOT / "stacks" / "api" / "firewall.yaml").read_text())["Rules"]
    memory = re.search(r"^MEMORY_MB = (\d+)", function, re.MULTILINE)
    assert memory and int(memory[1]) / 1024 * 0.03 == verb.LAMBDA_GB_SECONDS
    assert len(rules) == 3
    assert SHIPPED["ServerlessInf:Mem-2GB"]["price"] / 2 == sizes.PRICE_PER_GB_SECOND


def test_the_costs_are_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture in which every way has its line; the text says where it is."""
    monkeypatch.setattr(Figure, "savefig", SAVE)
    picture = Path(costs(capsys)["plot"]).read_text(encoding="utf-8")
    assert "<svg" in picture and "predictions a month" in picture
    assert all(f"<!-- {name} -->" in picture for name in (SLIM, WARM, COMPREHEND))


def product(usage: str, *steps: tuple[str, str]) -> str:
    """A product of the Price List API, in its form: usage type, and where each step begins and costs."""
    dimensions = {str(begin): {"beginRange": begin, "pricePerUnit": {"USD": price}} for begin, price in steps}
    terms = {"OnDemand": {"term": {"priceDimensions": dimensions}}}
    return json.dumps({"product": {"attributes": {"usagetype": usage}}, "terms": terms})


PRODUCTS = {
    "AWSLambda": [product("EUC1-Request", ("0", "0.0000003")), product("EUC1-Lambda-GB-Second-ARM", ("0", "9"))],
    "AmazonApiGateway": [product("EUC1-ApiGatewayRequest", ("0", "0.0000037"), ("333000000", "0.000003"))],
    "AmazonSageMaker": [
        product("EUC1-ServerlessInf:Mem-2GB", ("0", "0"), ("150000", "0.00005")),
        product("EUC1-Train:ml.g4dn.xlarge", ("0", "0.9")),
        product("EUC1-Notebk:ml.g4dn.xlarge", ("0", "8")),
        json.dumps({"product": {"attributes": {}}, "terms": {}}),
    ],
}


@pytest.fixture
def price_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """AWS's Price List API, by botocore's own model of it; SageMaker's products come in two pages."""
    client = boto3.client("pricing", **CREDENTIALS)
    stubber = Stubber(client)
    filters = [{"Type": "TERM_MATCH", "Field": "regionCode", "Value": "eu-central-1"}]
    for service in sorted(PRODUCTS):
        asked = {"ServiceCode": service, "Filters": filters}
        first, rest = PRODUCTS[service][:1], PRODUCTS[service][1:]
        stubber.add_response("get_products", {"PriceList": first, "NextToken": "more"}, asked)
        stubber.add_response("get_products", {"PriceList": rest}, {**asked, "NextToken": "more"})
    stubber.activate()
    monkeypatch.setattr(boto3, "client", lambda service, region_name: client)


@pytest.mark.usefixtures("price_list")
def test_prices_asked_of_aws_win_in_their_region_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the region's prefix, of the first step that costs something; what AWS lacks keeps its price."""
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    found = costs(capsys, "--refresh", "--predictions", "1e6")
    prices = {name: one["price"] for name, one in found["prices"].items()}
    assert prices["ServerlessInf:Mem-2GB"] == 0.00005 and prices["ApiGatewayRequest"] == 0.0000037
    assert prices["Train:ml.g4dn.xlarge"] == 0.9 and prices["Lambda-GB-Second"] == 0.0000166667
    assert "Notebk:ml.g4dn.xlarge" not in prices
    assert found["region"] == "eu-central-1" and "Price List API" in found["prices"]["Request"]["source"]
    assert costs(capsys, "--predictions", "1e6")["prices"] == found["prices"]
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    elsewhere = costs(capsys)
    assert (elsewhere["region"], elsewhere["deployed_to"]) == ("us-east-1", "us-west-2")
    assert main(["cost", "--env", "dev"]) == 0
    assert "Prices are those of us-east-1; for us-west-2, ARGS=--refresh asks AWS." in capsys.readouterr().out


def test_the_example_of_the_page_is_what_the_command_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """docs/costs.md shows today's answer, up to the path of the picture."""
    assert main(["cost", "--env", "dev"]) == 0
    printed = capsys.readouterr().out.rpartition(" Drawn:")[0]
    assert printed in (paths.ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
