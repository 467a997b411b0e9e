"""API: the REST front, what protects it, and its Lambda."""

from constructs import Construct

from stacks.api.contract import ApiContract
from stacks.api.domain import add_domain
from stacks.api.firewall import add_firewall
from stacks.api.keys import add_api_keys
from stacks.api.predict_function import predict_function
from stacks.api.rest_api import STAGE, InferenceApi
from stacks.common.project_sources import ProjectSources
from stacks.common.project_stack import ProjectStack, add_outputs
from stacks.common.s3_folder import S3Folder
from stacks.config.environment import Config
from stacks.storage.stack import StorageStack


class ApiStack(ProjectStack):
    """The public API of one environment. It knows the endpoint by name only."""

    def __init__(self, scope: Construct, *, config: Config, storage: StorageStack, sources: ProjectSources) -> None:
        """Create the API."""
        super().__init__(scope, "api", config=config)
        settings, name = config.api, self.names.prefix
        function = predict_function(
            Construct(self, "Predict"),
            setup=self.function_setup(sources),
            model_version_fallback=config.serving.hub_model,
            settings=settings,
            artifacts=S3Folder.exported(storage.artifacts, "training"),
        )
        front = InferenceApi(
            self,
            "Front",
            name=name,
            settings=settings,
            function=function,
            contract=ApiContract.read(sources.lambda_package("predict")),
            logs=self.logs,
        )
        url = front.url
        if settings.waf:
            add_firewall(
                Construct(self, "Firewall"), name=name, front=front, requests_in_5_minutes=settings.waf_rate_limit
            )
        if settings.domain_name:
            url = f"https://{settings.domain_name}"
            target = add_domain(Construct(self, "Domain"), front=front, settings=settings)
            add_outputs(self, {"ApiDomainTarget": target})
        if settings.api_key_required:
            keys = add_api_keys(front, name=name, settings=settings)
            add_outputs(self, {"ApiKeyId": keys[settings.clients[0]].key_id})
        add_outputs(self, {"ApiUrl": url, "ApiId": front.api.rest_api_id, "ApiStage": STAGE})
