"""predict.problems: which error is which status."""

from __future__ import annotations

import pytest

from predict import errors
from predict.models import as_json
from predict.problems import PROBLEM_TYPES, to_problem


def every_kind(base: type[errors.PredictError]) -> list[type[errors.PredictError]]:
    return [kind for child in base.__subclasses__() for kind in (child, *every_kind(child))]


CONTRACT = {
    errors.InvalidRequestError("d"): (400, "bad_request", None),
    errors.RouteNotFoundError("d"): (404, "not_found", None),
    errors.PayloadTooLargeError("d"): (413, "payload_too_large", None),
    errors.UnsupportedMediaTypeError(): (415, "unsupported_media_type", None),
    errors.ThrottledError(): (429, "throttled", "2"),
    errors.ModelFailedError(): (502, "model_error", None),
    errors.EndpointUnavailableError(): (502, "model_error", "5"),
    errors.ModelNotReleasedError(): (503, "model_not_released", "30"),
    errors.ModelWarmingUpError(): (503, "model_warming_up", "10"),
    errors.RegistryUnavailableError(): (503, "registry_unavailable", "5"),
    errors.ModelTimeoutError(): (504, "model_timeout", "5"),
    errors.DeploymentError("AccessDenied on arn:aws:…"): (500, "internal", None),
    KeyError("anything"): (500, "internal", None),
}


@pytest.mark.parametrize(("error", "expected"), CONTRACT.items(), ids=lambda value: type(value).__name__)
def test_status_code_and_retry_after(error: Exception, expected: tuple[int, str, str | None]) -> None:
    """Each error has the status, code and Retry-After of the contract."""
    problem = to_problem(error)
    assert (problem.kind.status, problem.kind.code, problem.headers.get("Retry-After")) == expected


@pytest.mark.parametrize("kind", every_kind(errors.PredictError), ids=lambda kind: kind.__name__)
def test_every_error_has_a_problem(kind: type[errors.PredictError]) -> None:
    """No error of the tree was forgotten."""
    error = kind("d", allowed=("GET",)) if kind is errors.MethodNotAllowedError else kind("d")  # type: ignore[call-arg]
    assert to_problem(error).kind.status >= 400


@pytest.mark.parametrize("error", [errors.DeploymentError("role arn:secret"), ValueError("arn:secret")])
def test_reasons_for_the_operator_stay_inside(error: Exception) -> None:
    """Nothing of an internal reason is in what the caller gets."""
    assert "secret" not in str(to_problem(error).document("id"))


def test_a_misconfiguration_names_its_reason_to_the_operator() -> None:
    """What a crash at start prints is the reason, not the caller's message."""
    assert str(errors.DeploymentError("ENDPOINT_NAME is missing")) == "ENDPOINT_NAME is missing"


def test_the_body_is_problem_json() -> None:
    """RFC 9457's members, with the code and the request's id beside them."""
    assert as_json(to_problem(errors.ModelNotReleasedError()).document("abc")) == {
        "type": "urn:problem-type:text-classifier:model_not_released",
        "title": "There is no model yet",
        "status": 503,
        "detail": "No model has been released yet. Train and release one, then try again.",
        "code": "model_not_released",
        "request_id": "abc",
    }


def test_a_wrong_method_names_the_right_ones() -> None:
    """405 carries Allow."""
    problem = to_problem(errors.MethodNotAllowedError("d", allowed=("GET", "HEAD")))
    assert (problem.kind.status, problem.kind.code, problem.headers) == (
        405,
        "method_not_allowed",
        {"Allow": "GET, HEAD"},
    )


def test_every_type_is_an_address_of_its_own() -> None:
    """Types are stable URNs that end in their code, and no two kinds share one."""
    types = [kind.type for kind in PROBLEM_TYPES.values()]
    assert len(set(types)) == len(types)
    assert all(kind.type.endswith(f":{code}") for code, kind in PROBLEM_TYPES.items())
