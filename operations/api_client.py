"""Ask the deployed REST API, as any caller on the internet would."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from operations.deployment import Deployment
from operations.errors import ApiError, NotDeployed

TIMEOUT_SECONDS = (5, 35)  # connect; answer (API Gateway itself gives up after 29 s)
WAITING_STATUSES = (429, 503)


class ApiClient:
    """A session with the API of one deployment; keeps its connection.

    Args:
        deployment: an environment whose API stack exists.
        retries: how often to ask again after 429 and 503, honouring Retry-After.
    """

    def __init__(self, deployment: Deployment, *, retries: int = 4) -> None:
        if deployment.api_url is None:
            raise NotDeployed(f"Environment '{deployment.env}' has no API.", hint="make up, or cdk deploy")
        self.url = f"{deployment.api_url}/v1/predictions"
        self._session = requests.Session()
        retry = Retry(total=retries, status_forcelist=WAITING_STATUSES, allowed_methods=None, backoff_factor=0.5,
                      respect_retry_after_header=True, raise_on_status=False)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))
        if key := deployment.api_key:
            self._session.headers["x-api-key"] = key

    def predict(self, inputs: str | Sequence[str]) -> dict[str, Any]:
        """Classify one text or a list of texts.

        Returns:
            The API's answer: `{"predictions": [{"label", "confidence", "score", ...}], "model": {"version"}}`.

        Raises:
            ApiError: the API answered with a problem, or could not be reached.
        """
        try:
            answer = self._session.post(self.url, json={"inputs": inputs}, timeout=TIMEOUT_SECONDS)
        except requests.RequestException as error:
            raise ApiError(f"{self.url} cannot be reached: {error}", hint="make status", status=None) from error
        if answer.ok:
            return answer.json()
        problem = answer.json() if "json" in answer.headers.get("content-type", "") else {}
        raise ApiError(f"{answer.status_code} {problem.get('title', answer.reason)}: {problem.get('detail', '')}",
                       hint="make logs shows the Lambda's side", status=answer.status_code)
