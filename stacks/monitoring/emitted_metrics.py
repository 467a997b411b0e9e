"""The metrics of one environment, defined once for the dashboard and the alarms.

AWS's namespaces, names and dimensions are those of each service's page "… metrics in Amazon CloudWatch".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.common import metric_names as names

PERIOD = Duration.minutes(5)


@dataclass(frozen=True, kw_only=True)
class EmittedMetrics:
    """The sources of the metrics, by name; each method returns one metric.

    Attributes:
        prefix: namespace of our own metrics, and first part of every function's name.
        machines_arn: ARN of a state machine up to the prefix.
    """

    prefix: str
    api_name: str
    stage: str
    endpoint_name: str
    variant: str
    machines_arn: str

    def api(self, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of API Gateway: Count, 4XXError, 5XXError, Latency, IntegrationLatency."""
        return _metric("AWS/ApiGateway", name, stat, {"ApiName": self.api_name, "Stage": self.stage}, **more)

    def function(self, function: str, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of Lambda; `function` is the name without the prefix."""
        return _metric("AWS/Lambda", name, stat, {"FunctionName": f"{self.prefix}-{function}"}, **more)

    def endpoint(self, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of the endpoint's invocations."""
        return _metric("AWS/SageMaker", name, stat, self._variant, **more)

    def endpoint_memory(self, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return the share of its memory that the endpoint's container uses, in per cent."""
        return _metric("/aws/sagemaker/Endpoints", "MemoryUtilization", stat, self._variant, **more)

    def workflow(self, machine: str, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of Step Functions; `machine` is the state machine's name without the prefix."""
        return _metric("AWS/States", name, stat, {"StateMachineArn": f"{self.machines_arn}-{machine}"}, **more)

    def predict(self, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric that the predict function emits."""
        return _metric(self.prefix, name, stat, {names.SERVICE: names.PREDICT_SERVICE}, **more)

    def drift(self, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of the drift check."""
        return _metric(self.prefix, name, stat, {names.SERVICE: names.DRIFT_SERVICE}, **more)

    def found(self, name: str, *dimensions: str, stat: str = "Sum", label: str = "") -> cloudwatch.MathExpression:
        """Return all our metrics with this name, for all values of these further dimensions.

        A model's labels and versions are not known beforehand, nor which problems will occur.
        """
        schema = ",".join((self.prefix, names.SERVICE, *dimensions))
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{{{schema}}} {names.SERVICE}=\"{names.PREDICT_SERVICE}\" {name}', '{stat}')",
            label=label,
            using_metrics={},
            period=PERIOD,
        )

    @property
    def _variant(self) -> dict[str, str]:
        return {"EndpointName": self.endpoint_name, "VariantName": self.variant}


def _metric(namespace: str, name: str, stat: str, dimensions: dict[str, str], **more: Any) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, statistic=stat, dimensions_map=dimensions, **{"period": PERIOD, **more}
    )
