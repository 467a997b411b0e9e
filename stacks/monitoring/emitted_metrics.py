"""The metrics of one environment, defined once for the dashboard and the alarms.

AWS's namespaces, names and dimensions are those of each service's page "… metrics in Amazon CloudWatch".
"""

from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.api.rest_api import STAGE
from stacks.common import metric_names
from stacks.common.names import Names
from stacks.serving.variant import VARIANT

PERIOD = Duration.minutes(5)


@dataclass(frozen=True)
class EmittedMetrics:
    """The metrics; `names` has the resources that emit them, and the namespace of our own (the prefix)."""

    names: Names

    def api(self, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of API Gateway: Count, 4XXError, 5XXError, Latency, IntegrationLatency."""
        return _metric("AWS/ApiGateway", name, stat, {"ApiName": self.names.prefix, "Stage": STAGE}, **more)

    def function(self, function: str, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of Lambda; `function` is the name without the prefix."""
        return _metric("AWS/Lambda", name, stat, {"FunctionName": f"{self.names.prefix}-{function}"}, **more)

    def endpoint(self, name: str, stat: str, namespace: str = "AWS/SageMaker", **more: Any) -> cloudwatch.Metric:
        """Return a metric of the endpoint's invocations, or in another namespace of its instances or containers."""
        return _metric(namespace, name, stat, {"EndpointName": self.names.endpoint, "VariantName": VARIANT}, **more)

    def workflow(self, machine: str, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric of Step Functions; `machine` is the state machine's name without the prefix."""
        arn = self.names.state_machine_arn(f"{self.names.prefix}-{machine}")
        return _metric("AWS/States", name, stat, {"StateMachineArn": arn}, **more)

    def own(self, service: str, name: str, stat: str, **more: Any) -> cloudwatch.Metric:
        """Return a metric that a function of ours emits under the name of its service."""
        return _metric(self.names.prefix, name, stat, {metric_names.SERVICE: service}, **more)

    def found(self, name: str, *dimensions: str, label: str = "") -> cloudwatch.MathExpression:
        """Return all our metrics with this name, for all values of these further dimensions.

        A model's labels and versions are not known beforehand, nor which problems will occur.
        """
        # Names with other than letters and digits have to be quoted; quotes do no harm to others.
        schema = ",".join(f'"{part}"' for part in (self.names.prefix, metric_names.SERVICE, *dimensions))
        ours = f'{metric_names.SERVICE}="{metric_names.PREDICT_SERVICE}"'
        return cloudwatch.MathExpression(
            expression=f"SEARCH('{{{schema}}} {ours} {name}', 'Sum')", label=label, using_metrics={}, period=PERIOD
        )


def _metric(namespace: str, name: str, stat: str, dimensions: dict[str, str], **more: Any) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace=namespace, metric_name=name, statistic=stat, dimensions_map=dimensions, **{"period": PERIOD, **more}
    )
