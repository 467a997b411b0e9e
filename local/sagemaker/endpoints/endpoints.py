"""Create, describe, list, update and delete endpoints."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from local.sagemaker.api.listing import page, pick
from local.sagemaker.common.errors import ValidationException
from local.sagemaker.common.scope import Scope
from local.sagemaker.endpoints.configs import EndpointConfigs
from local.sagemaker.endpoints.deployment import VariantSpec, resolve
from local.sagemaker.endpoints.runtime import KIND, EndpointRuntime
from local.sagemaker.models.models import Models
from local.sagemaker.state.context import Context
from local.sagemaker.state.store import Record

logger = logging.getLogger(__name__)

_IN_PROGRESS = ("Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting")


class Endpoints:
    """The endpoint part of the control plane; the work is done by `EndpointRuntime` in the background."""

    def __init__(self, context: Context, models: Models, configs: EndpointConfigs, runtime: EndpointRuntime) -> None:
        self._context = context
        self._models = models
        self._configs = configs
        self._runtime = runtime

    def create(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """CreateEndpoint: Creating, then InService once every variant answers /ping, else Failed."""
        name = params["EndpointName"]
        arn = scope.arn(f"endpoint/{name}")
        specs = self._specs(scope, params)
        now = time.time()
        with self._context.store.lock:
            if self._context.store.get(KIND, scope, name) is not None:
                raise ValidationException(f'Cannot create already existing endpoint "{arn}".')
            record: Record = {
                "EndpointName": name,
                "EndpointArn": arn,
                "EndpointConfigName": params["EndpointConfigName"],
                "EndpointStatus": "Creating",
                "CreationTime": now,
                "LastModifiedTime": now,
                "_Deployment": [spec.as_record() for spec in specs],
                **_deployment_config(name, params),
            }
            self._context.store.put(KIND, scope, name, record)
            self._context.tags.put(scope, arn, params.get("Tags", []))
        self._runtime.create(scope, name)
        return {"EndpointArn": arn}

    def update(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateEndpoint: the new variants start beside the old ones and take over when they answer.

        If they do not come up, the endpoint is InService again with its old configuration and a FailureReason.
        """
        name = params["EndpointName"]
        with self._context.store.lock:
            record = self._get(scope, name)
            self._require_settled(record)
            if record["EndpointStatus"] != "InService":
                raise ValidationException(
                    f'Cannot update endpoint "{record["EndpointArn"]}" in status {record["EndpointStatus"]}; it can '
                    "only be deleted."
                )
            # AWS looks at the configuration in use, too, and refuses once it has been deleted.
            self._configs.get(scope, record["EndpointConfigName"])
            specs = self._specs(scope, params)
            self._context.store.update(
                KIND,
                scope,
                name,
                EndpointStatus="Updating",
                LastModifiedTime=time.time(),
                FailureReason=None,
                PendingDeploymentSummary={
                    "EndpointConfigName": params["EndpointConfigName"],
                    "ProductionVariants": [spec.summary(time.time()) for spec in specs],
                    "StartTime": time.time(),
                },
                **_deployment_config(name, params),
            )
        self._runtime.update(scope, name, params["EndpointConfigName"], specs)
        return {"EndpointArn": record["EndpointArn"]}

    def delete(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DeleteEndpoint: Deleting, then gone."""
        name = params["EndpointName"]
        with self._context.store.lock:
            record = self._get(scope, name)
            self._require_settled(record)
            self._context.store.update(KIND, scope, name, EndpointStatus="Deleting", LastModifiedTime=time.time())
        self._runtime.delete(scope, name)
        return {}

    def describe(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeEndpoint."""
        record = self._get(scope, params["EndpointName"])
        return {member: value for member, value in record.items() if not member.startswith("_")}

    def list_all(self, scope: Scope, params: Mapping[str, Any]) -> dict[str, Any]:
        """ListEndpoints."""
        return page(
            [record for _, record in self._context.store.all(KIND, scope)],
            params,
            result="Endpoints",
            name="EndpointName",
            status="EndpointStatus",
            summary=lambda endpoint: pick(
                endpoint, "EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime", "EndpointStatus"
            ),
        )

    def _specs(self, scope: Scope, params: Mapping[str, Any]) -> list[VariantSpec]:
        config = self._configs.get(scope, params["EndpointConfigName"])
        specs = resolve(self._models, scope, config)
        if "DeploymentConfig" in params and any(spec.serverless for spec in specs):
            raise ValidationException("DeploymentConfig is not supported for serverless endpoints.")
        return specs

    def _get(self, scope: Scope, name: str) -> Record:
        record = self._context.store.get(KIND, scope, name)
        if record is None:
            raise ValidationException(f'Could not find endpoint "{scope.arn(f"endpoint/{name}")}".')
        return record

    @staticmethod
    def _require_settled(record: Record) -> None:
        if record["EndpointStatus"] in _IN_PROGRESS:
            raise ValidationException(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')


def _deployment_config(name: str, params: Mapping[str, Any]) -> Record:
    """What DescribeEndpoint tells of how an endpoint was deployed; here it is told, and nothing more."""
    if "DeploymentConfig" not in params:
        return {}
    logger.warning(
        "endpoint %s: DeploymentConfig is accepted, but all requests move at once, once the new server answers: no "
        "canary, no baking, and no alarm is looked at",
        name,
    )
    return {"LastDeploymentConfig": params["DeploymentConfig"]}
