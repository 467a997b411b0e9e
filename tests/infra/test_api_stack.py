"""The API: what is checked before the Lambda runs, and what API Gateway answers by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Match

from predict.service import BUDGET_SECONDS
from stacks.config.environment import load_config

if TYPE_CHECKING:
    from conftest import Assemblies

GATEWAY_RESPONSE = "AWS::ApiGateway::GatewayResponse"


def methods(assemblies: Assemblies, env: str, http_method: str) -> list[dict[str, Any]]:
    found = assemblies.resources(env, "api", "AWS::ApiGateway::Method")
    return [method["Properties"] for method in found if method["Properties"]["HttpMethod"] == http_method]


@pytest.fixture(scope="module")
def contract(assemblies: Assemblies) -> dict[str, Any]:
    """The document that the Lambda serves."""
    folder = assemblies.folder / "dev" / "staged" / "text-classifier-dev-predict" / "predict" / "pages"
    document: dict[str, Any] = json.loads((folder / "openapi.json").read_text())
    return document


def test_prediction_body_is_checked_against_the_served_contract(
    assemblies: Assemblies, contract: dict[str, Any]
) -> None:
    """API Gateway validates the body with the Lambda's own schema, which the served document repeats."""
    (model,) = assemblies.resources("dev", "api", "AWS::ApiGateway::Model")
    schema = model["Properties"]["Schema"]
    assert schema.pop("$schema").endswith("draft-04/schema#")
    root = Path(__file__).resolve().parents[2]
    expected = json.loads((root / "lambda" / "predict" / "schema.json").read_text())
    assert schema == {name: value for name, value in expected.items() if name != "$schema"}
    top_k = contract["components"]["schemas"]["PredictionRequest"]["properties"]["parameters"]["properties"]["top_k"]
    assert (top_k["type"], top_k["nullable"]) == ("integer", True)  # OpenAPI 3.0 has no list of types
    assemblies.assertions("dev", "api").has_resource_properties(
        "AWS::ApiGateway::RequestValidator", {"ValidateRequestBody": True, "ValidateRequestParameters": True}
    )
    (post,) = methods(assemblies, "dev", "POST")
    assert "RequestValidatorId" in post and set(post["RequestModels"]) == {"application/json"}


def test_routes_are_those_of_the_contract(assemblies: Assemblies, contract: dict[str, Any]) -> None:
    """The gateway has the contract's paths with their methods; ANY answers the others, and OPTIONS the preflight."""
    resources = {
        name: one["Properties"]
        for name, one in assemblies.template("dev", "api")["Resources"].items()
        if one["Type"] == "AWS::ApiGateway::Resource"
    }

    def path(reference: dict[str, Any]) -> str:
        if "Ref" not in reference:
            return ""  # of the API's root
        own = resources[reference["Ref"]]
        return f"{path(own['ParentId'])}/{own['PathPart']}"

    found: dict[str, set[str]] = {}
    for method in assemblies.resources("dev", "api", "AWS::ApiGateway::Method"):
        properties = method["Properties"]
        found.setdefault(path(properties["ResourceId"]) or "/", set()).add(properties["HttpMethod"])
    assert found.pop("/v1") == {"OPTIONS"}
    expected = {path: {name.upper() for name in methods} for path, methods in contract["paths"].items()}
    assert found == {path: names | {"ANY", "OPTIONS"} for path, names in expected.items()}


@pytest.mark.parametrize(("env", "required"), [("local", False), ("dev", False), ("prod", True)])
def test_key_is_asked_for_where_configured(assemblies: Assemblies, env: str, required: bool) -> None:
    """Predictions ask for a key where the configuration says so; health and preflight never do."""
    (post,) = methods(assemblies, env, "POST")
    assert post["ApiKeyRequired"] is required
    others = [one for name in ("GET", "ANY", "OPTIONS") for one in methods(assemblies, env, name)]
    assert not [method for method in others if method.get("ApiKeyRequired")]
    assert len(assemblies.resources(env, "api", "AWS::ApiGateway::UsagePlanKey")) == int(required)


@pytest.mark.parametrize(
    ("env", "stage", "predictions", "status"),
    [
        ("local", (500, 1000), (400, 800), (500, 1000)),
        ("dev", (20, 40), (15, 30), (5, 10)),
        ("prod", (20, 100), (16, 80), (5, 10)),
    ],
)
def test_stage_is_throttled_and_logged(
    assemblies: Assemblies, env: str, stage: tuple[int, int], predictions: tuple[int, int], status: tuple[int, int]
) -> None:
    """All methods are throttled as configured, those that ask the model further; requests are logged, bodies never."""
    expected = [
        Match.object_like(
            {
                "HttpMethod": method,
                "ResourcePath": path,
                "ThrottlingRateLimit": rate,
                "ThrottlingBurstLimit": burst,
                "LoggingLevel": "ERROR",
                "MetricsEnabled": True,
                "DataTraceEnabled": False,
            }
        )
        for method, path, (rate, burst) in (
            ("*", "/*", stage),
            ("POST", "/~1v1~1predictions", predictions),
            ("GET", "/~1v1~1health", status),
            ("GET", "/~1v1~1model", status),
        )
    ]
    assemblies.assertions(env, "api").has_resource_properties(
        "AWS::ApiGateway::Stage",
        Match.object_like(
            {
                "AccessLogSetting": {"DestinationArn": Match.any_value(), "Format": Match.string_like_regexp("status")},
                "MethodSettings": expected,
            }
        ),
    )


def test_browsers_may_ask_first(assemblies: Assemblies) -> None:
    """Both routes answer a CORS preflight that allows JSON bodies and the key's header."""
    preflights = methods(assemblies, "prod", "OPTIONS")
    allowed = [p["Integration"]["IntegrationResponses"][0]["ResponseParameters"] for p in preflights]
    assert len(preflights) >= 2
    assert {a["method.response.header.Access-Control-Allow-Headers"] for a in allowed} == {"'Content-Type,X-Api-Key'"}
    assert {a["method.response.header.Access-Control-Allow-Origin"] for a in allowed} == {"'*'"}


@pytest.fixture
def gateway_responses(assemblies: Assemblies) -> dict[str, dict[str, Any]]:
    found = assemblies.resources("prod", "api", GATEWAY_RESPONSE)
    return {response["Properties"]["ResponseType"]: response["Properties"] for response in found}


@pytest.mark.parametrize(
    ("response_type", "status", "code"),
    [
        ("BAD_REQUEST_BODY", "400", "bad_request"),
        ("UNSUPPORTED_MEDIA_TYPE", "415", "unsupported_media_type"),
        ("REQUEST_TOO_LARGE", "413", "payload_too_large"),
        ("MISSING_AUTHENTICATION_TOKEN", "404", "not_found"),
        ("RESOURCE_NOT_FOUND", "404", "not_found"),
        ("INVALID_API_KEY", "403", "forbidden"),
        ("ACCESS_DENIED", "403", "forbidden"),
        ("WAF_FILTERED", "403", "blocked"),
        ("BAD_REQUEST_PARAMETERS", "400", "bad_request"),
        ("THROTTLED", "429", "throttled"),
        ("QUOTA_EXCEEDED", "429", "quota_exceeded"),
        ("INTEGRATION_TIMEOUT", "504", "model_timeout"),
        ("DEFAULT_4XX", None, "bad_request"),
        ("DEFAULT_5XX", None, "internal"),
    ],
)
def test_gateways_own_errors_are_problem_documents(
    gateway_responses: dict[str, dict[str, Any]], response_type: str, status: str | None, code: str
) -> None:
    """What API Gateway answers by itself looks like the Lambda's errors, browsers included."""
    response = gateway_responses[response_type]
    template = response["ResponseTemplates"]["application/json"]
    body = json.loads(
        template.replace("$context.error.messageString", '"a message"').replace("$context.requestId", "an-id")
    )
    assert response.get("StatusCode") == status
    assert body["code"] == code and body["request_id"] == "an-id" and body["detail"]
    assert body["type"] == f"urn:problem-type:text-classifier:{code}"
    assert str(body.get("status", "None")) == str(status)
    headers = response["ResponseParameters"]
    assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
    assert headers["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"


def test_refused_body_is_told_the_limits(gateway_responses: dict[str, dict[str, Any]]) -> None:
    """A body that breaks the schema is answered with the schema's own limits."""
    template = gateway_responses["BAD_REQUEST_BODY"]["ResponseTemplates"]["application/json"]
    assert "1 to 20000 characters" in template and "1 to 100" in template


def test_throttled_clients_are_told_when_to_return(gateway_responses: dict[str, dict[str, Any]]) -> None:
    """A throttled answer carries Retry-After."""
    assert gateway_responses["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'2'"


@pytest.mark.parametrize(("env", "fixed"), [("local", True), ("dev", False), ("prod", False)])
def test_only_the_local_api_has_a_fixed_id(assemblies: Assemblies, env: str, fixed: bool) -> None:
    """The local cloud's API keeps its address over redeployments; AWS is not told any of that."""
    (api,) = assemblies.resources(env, "api", "AWS::ApiGateway::RestApi")
    tags = {tag["Key"]: tag["Value"] for tag in api["Properties"]["Tags"]}
    assert tags.get("ms-custom-id") == ("textclassifier" if fixed else None)


def test_lambda_is_told_its_endpoint_and_the_stand_ins_version(assemblies: Assemblies) -> None:
    """The predict Lambda knows the endpoint by name and what to call a model that names no version."""
    assemblies.assertions("dev", "api").has_resource_properties(
        "AWS::Lambda::Function",
        Match.object_like(
            {
                "Handler": "predict.handler.handler",
                "Environment": {
                    "Variables": {
                        "ENDPOINT_NAME": "text-classifier-dev",
                        "MODEL_VERSION_FALLBACK": Match.string_like_regexp("^distilbert/.*@714eb0fa"),
                        "API_KEY_REQUIRED": "false",
                        "LOG_TEXTS": "false",
                        "POWERTOOLS_METRICS_NAMESPACE": "text-classifier-dev",
                    }
                },
            }
        ),
    )


GUARDED = ("prod-guarded", "api")


def test_each_client_gets_a_key_and_its_limits(assemblies: Assemblies) -> None:
    """One key a client, all under one plan with the configured rate and daily quota."""
    names = [key["Properties"]["Name"] for key in assemblies.resources(*GUARDED, "AWS::ApiGateway::ApiKey")]
    assert sorted(names) == ["text-classifier-prod-newsletter", "text-classifier-prod-shop"]
    assert len(assemblies.resources(*GUARDED, "AWS::ApiGateway::UsagePlanKey")) == 2
    assemblies.assertions(*GUARDED).has_resource_properties(
        "AWS::ApiGateway::UsagePlan",
        {"Throttle": {"RateLimit": 5, "BurstLimit": 10}, "Quota": {"Limit": 10000, "Period": "DAY"}},
    )


def test_a_key_is_throttled_and_has_a_quota_unless_switched_off(
    assemblies: Assemblies,
) -> None:
    """Without a word in the configuration a key has limits; 0 takes each away."""
    (plan,) = assemblies.resources("prod", "api", "AWS::ApiGateway::UsagePlan")
    (unlimited,) = assemblies.resources("keyed", "api", "AWS::ApiGateway::UsagePlan")
    assert plan["Properties"]["Throttle"] == {"RateLimit": 10, "BurstLimit": 20}
    assert plan["Properties"]["Quota"] == {"Limit": 100_000, "Period": "DAY"}
    assert not {"Throttle", "Quota"} & set(unlimited["Properties"])


@pytest.mark.parametrize(("env", "reserved"), [("dev", None), ("prod", None), ("keyed", 50)])
def test_executions_are_reserved_only_where_asked(assemblies: Assemblies, env: str, reserved: int | None) -> None:
    """New accounts refuse any reservation, so there is none without a word in the configuration."""
    functions = assemblies.resources(env, "api", "AWS::Lambda::Function")
    found = [one["Properties"].get("ReservedConcurrentExecutions") for one in functions]
    assert found == [reserved]


@pytest.mark.parametrize("env", ["dev", "prod"])
def test_a_model_that_hangs_takes_less_than_half_of_an_accounts_lambdas(cdk_context: dict[str, Any], env: str) -> None:
    """Burst and rate times the API's longest answer stay below 500 of the 1,000 executions that an account has."""
    api = load_config({**cdk_context, "env": env}.get, {}).api
    assert api.held_executions == api.predictions_burst_limit + BUDGET_SECONDS * api.predictions_rate_limit < 500


def test_firewall_limits_addresses_and_sizes_and_lets_texts_be_texts(assemblies: Assemblies) -> None:
    """Too many requests of an address and large bodies are blocked; the common rules judge everything but bodies."""
    (acl,) = assemblies.resources(*GUARDED, "AWS::WAFv2::WebACL")
    rate, _, common = acl["Properties"]["Rules"]
    assert rate["Statement"]["RateBasedStatement"] == {"AggregateKeyType": "IP", "Limit": 500}
    group = common["Statement"]["ManagedRuleGroupStatement"]
    assert group["Name"] == "AWSManagedRulesCommonRuleSet"
    assert {rule["Name"] for rule in group["RuleActionOverrides"]} >= {
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
    }
    assert all(rule["ActionToUse"] == {"Count": {}} for rule in group["RuleActionOverrides"])
    (association,) = assemblies.resources(*GUARDED, "AWS::WAFv2::WebACLAssociation")
    assert "/stages/" in json.dumps(association["Properties"]["ResourceArn"])


@pytest.mark.parametrize(
    ("length", "blocked"),
    [("0", False), ("999999", False), ("4194304", False), ("4200000", True), ("9000000", True), ("10485761", True)],
)
def test_firewalls_size_is_the_contracts(
    assemblies: Assemblies, contract: dict[str, Any], length: str, blocked: bool
) -> None:
    """What the contract allows passes; what is clearly above it is stopped by its Content-Length."""
    (acl,) = assemblies.resources(*GUARDED, "AWS::WAFv2::WebACL")
    pattern = acl["Properties"]["Rules"][1]["Statement"]["RegexMatchStatement"]["RegexString"]
    assert bool(re.search(pattern, length)) is blocked
    assert blocked is (int(length) > contract["x-limits"]["bodyBytes"])


def test_only_the_listed_networks_may_call(assemblies: Assemblies) -> None:
    """The resource policy allows nothing but calls from the list; without a list there is no policy."""
    (api,) = assemblies.resources(*GUARDED, "AWS::ApiGateway::RestApi")
    (statement,) = api["Properties"]["Policy"]["Statement"]
    assert (statement["Effect"], statement["Action"]) == ("Allow", "execute-api:Invoke")
    assert statement["Condition"] == {"IpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    (open_api,) = assemblies.resources("prod", "api", "AWS::ApiGateway::RestApi")
    assert "Policy" not in open_api["Properties"]


def test_domain_leads_to_the_stage(assemblies: Assemblies) -> None:
    """The domain has its certificate, TLS 1.2, a mapping to the stage, a record, and is the URL that is told."""
    check = assemblies.assertions(*GUARDED).has_resource_properties
    check(
        "AWS::ApiGateway::DomainName",
        {
            "DomainName": "classify.example.com",
            "SecurityPolicy": "TLS_1_2",
            "RegionalCertificateArn": Match.string_like_regexp("^arn:aws:acm:"),
        },
    )
    check("AWS::ApiGateway::BasePathMapping", {"Stage": Match.any_value(), "BasePath": Match.absent()})
    check(
        "AWS::Route53::RecordSet",
        {"Name": "classify.example.com.", "Type": "A", "HostedZoneId": "Z0123456789ABCDEFGHIJ"},
    )
    outputs = assemblies.template(*GUARDED)["Outputs"]
    assert outputs["ApiUrl"]["Value"] == "https://classify.example.com"
    assert "ApiDomainTarget" in outputs


def test_tracing_covers_stage_and_lambda(assemblies: Assemblies) -> None:
    """With tracing on, both send segments; without, neither does."""
    check = assemblies.assertions(*GUARDED).has_resource_properties
    check("AWS::ApiGateway::Stage", {"TracingEnabled": True})
    check("AWS::Lambda::Function", {"TracingConfig": {"Mode": "Active"}})
    assert "Active" not in json.dumps(assemblies.template("prod", "api"))


def test_guarded_template_is_valid(assemblies: Assemblies, lint_errors: Callable[[dict[str, Any]], list[str]]) -> None:
    """cfn-lint finds no error in the template with all of that switched on (cdk-nag passed when it was made)."""
    assert lint_errors(assemblies.template(*GUARDED)) == []
