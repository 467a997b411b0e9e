"""The API: what is checked before the Lambda runs, and what API Gateway answers by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from aws_cdk.assertions import Match

if TYPE_CHECKING:
    from conftest import Assemblies

GATEWAY_RESPONSE = "AWS::ApiGateway::GatewayResponse"


def methods(assemblies: Assemblies, env: str, http_method: str) -> list[dict[str, Any]]:
    found = assemblies.resources(env, "api", "AWS::ApiGateway::Method")
    return [method["Properties"] for method in found if method["Properties"]["HttpMethod"] == http_method]


def test_prediction_body_is_checked_against_the_lambdas_schema(assemblies: Assemblies) -> None:
    """API Gateway validates the body with the very schema file that the Lambda reads."""
    (model,) = assemblies.resources("dev", "api", "AWS::ApiGateway::Model")
    schema = json.loads((assemblies.folder / "project" / "lambda" / "predict" / "schema.json").read_text())
    assert model["Properties"]["Schema"] == schema
    assemblies.assertions("dev", "api").has_resource_properties(
        "AWS::ApiGateway::RequestValidator", {"ValidateRequestBody": True, "ValidateRequestParameters": True}
    )
    (post,) = methods(assemblies, "dev", "POST")
    assert "RequestValidatorId" in post and set(post["RequestModels"]) == {"application/json"}


@pytest.mark.parametrize(("env", "required"), [("local", False), ("dev", False), ("prod", True)])
def test_key_is_asked_for_where_configured(assemblies: Assemblies, env: str, required: bool) -> None:
    """Predictions ask for a key where the configuration says so; health and preflight never do."""
    (post,) = methods(assemblies, env, "POST")
    assert post["ApiKeyRequired"] is required
    others = [*methods(assemblies, env, "GET"), *methods(assemblies, env, "OPTIONS")]
    assert not [method for method in others if method.get("ApiKeyRequired")]
    assert len(assemblies.resources(env, "api", "AWS::ApiGateway::UsagePlanKey")) == int(required)


@pytest.mark.parametrize(("env", "rate", "burst"), [("local", 500, 1000), ("dev", 20, 40), ("prod", 50, 100)])
def test_stage_is_throttled_and_logged(assemblies: Assemblies, env: str, rate: int, burst: int) -> None:
    """All methods are throttled as configured; every request is logged, no body ever is."""
    assemblies.assertions(env, "api").has_resource_properties(
        "AWS::ApiGateway::Stage",
        Match.object_like(
            {
                "AccessLogSetting": {"DestinationArn": Match.any_value(), "Format": Match.string_like_regexp("status")},
                "MethodSettings": [
                    Match.object_like(
                        {
                            "HttpMethod": "*",
                            "ResourcePath": "/*",
                            "ThrottlingRateLimit": rate,
                            "ThrottlingBurstLimit": burst,
                            "LoggingLevel": "ERROR",
                            "DataTraceEnabled": False,
                        }
                    )
                ],
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
        ("INVALID_API_KEY", "403", "forbidden"),
        ("THROTTLED", "429", "throttled"),
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
    assert gateway_responses["THROTTLED"]["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'1'"


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
                    }
                },
            }
        ),
    )
