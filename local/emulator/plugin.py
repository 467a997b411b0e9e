"""Every change to ministack, in order, each with what ministack lacks without it."""

from collections.abc import Callable
from typing import Any

from ministack import app
from ministack.core import iam_actions, iam_evaluator
from ministack.services import apigateway_v1, cloudwatch, codebuild, eventbridge, lambda_svc, s3, stepfunctions
from ministack.services.cloudformation import changesets, custom_resource, engine, handlers, provisioners, stacks

from local.emulator.access import decisions, perimeter, stack_roles
from local.emulator.builds import image_builds
from local.emulator.cloudformation import (
    accepted_types,
    buckets,
    request_validators,
    resource_types,
    sagemaker_resources,
    stack_rules,
)
from local.emulator.cloudwatch import alarms, metric_store, service_metrics
from local.emulator.common.patching import Holder, wrap
from local.emulator.functions import concurrency, environments
from local.emulator.gateway import data_plane
from local.emulator.recovery import interrupted, stack_operations
from local.emulator.sagemaker_bridge import sagemaker_api, surroundings
from local.emulator.state import persistence
from local.emulator.workflows import state_language
from local.emulator.workflows import stepfunctions as workflows
from local.sagemaker.service import SageMakerService

_ACTIONS: dict[str, Any] = handlers._ACTION_HANDLERS
_STACKS = (stacks, changesets, handlers)

# (the module or dict, with those that imported the function from it; the function; its wrapper)
_WRAPPED: tuple[tuple[Holder | tuple[Holder, ...], str, Callable[..., Any]], ...] = (
    # Access
    (iam_evaluator, "_is_root_key", perimeter.is_root_key),  # a check of the root's signature
    (iam_evaluator, "enforce", decisions.enforce),  # a record of decisions
    (app, "pin_request_origin", perimeter.pin_request_origin),  # loopback as a secure transport
    (iam_evaluator, "_resolve_condition_key", perimeter.resolve_condition_key),  # aws:PrincipalArn of a role's session
    (app, "detect_service", sagemaker_api.detect_service),  # SageMaker's requests
    (iam_actions, "extract_resource_arn", sagemaker_api.extract_resource_arn),  # SageMaker's ARNs
    (iam_actions, "extract_resource_arn", image_builds.build_arn),  # the project's ARN for a build
    (iam_actions, "access_denied_response", sagemaker_api.access_denied_response),  # AWS's wording for SageMaker
    (iam_actions, "request_tag_context", stack_roles.request_tag_context),  # the key cloudformation:RoleArn
    (eventbridge, "_now_ts", surroundings.event_time),  # an order of events, also after the clock was set back
    # Stacks
    (app, "_load_persisted_state", interrupted.load_persisted_state),  # an end of interrupted operations
    ((engine, stacks, handlers, changesets), "_evaluate_conditions", stack_rules.evaluate_conditions),  # Fn::Join
    (provisioners, "_physical_name", stack_rules.physical_name),  # names that differ between regions
    *((_ACTIONS, action, stack_roles.with_role) for action in stack_roles.ACTIONS),  # service roles
    (handlers, "_stack_drift_information_xml", stack_roles.describe_role),  # a stack's role
    (_ACTIONS, "UpdateStack", stack_rules.update_stack),  # a refusal for busy stacks
    ((stacks, handlers), "_delete_stack_async", stack_rules.delete_stack),  # dependencies kept after a failed deletion
    (stacks, "_delete_resource", stack_rules.delete_resource),  # the same, and a journal
    (_STACKS, "_deploy_stack_async", stack_operations.deploy_stack),  # a journal
    (_STACKS, "_add_event", stack_operations.add_event),  # the same
    (stacks, "_runs_on_worker_thread", resource_types.runs_on_worker_thread),  # types that call this server
    (custom_resource, "invoke_custom_resource", buckets.invoke_custom_resource),  # CDK's autoDeleteObjects
    (codebuild, "_start_build", image_builds.start_build),  # a check of a build's source
    (s3, "_resolve_sse_write_headers", buckets.resolve_sse_write_headers),  # aws:kms without a key
    # State
    (app, "save_all", lambda *_: persistence.save_state()),  # Python's faster JSON encoder, as the server stops
    (lambda_svc, "_prune_orphan_code_blobs", persistence.prune_code),  # code that a kill does not lose
    # API Gateway
    (apigateway_v1, "_check_request_validation", data_plane.check_request_validation),  # other media types
    (apigateway_v1, "_execute_in_scope", data_plane.execute),  # the limit of 10 MB
    (apigateway_v1, "_lambda_proxy_response", data_plane.lambda_proxy_response),  # 502 for a crashed function
    (apigateway_v1, "_invoke_lambda_proxy_v1", data_plane.invoke_lambda_proxy),  # the same
    (apigateway_v1, "_gateway_error_response", data_plane.gateway_error_response),  # its response
    (apigateway_v1, "_method_throttle_settings", data_plane.method_throttle_settings),  # throttles of methods
    # Functions and state machines
    (lambda_svc, "_execute_function_warm", environments.execute_function),  # the exception's class
    (lambda_svc, "acquire_worker", environments.acquire_worker),  # a bound, a wait for one that is free
    (lambda_svc, "release_worker", environments.release_worker),  # the same
    (lambda_svc, "_throttle_response", environments.throttle_response),  # AWS's words
    (lambda_svc, "_acquire_execution_slot", concurrency.acquire_execution_slot),  # reservations of other functions
    (lambda_svc, "_put_function_concurrency", concurrency.put_function_concurrency),  # the account's minimum
    (stepfunctions, "_apply_output_path", state_language.apply_output_path),  # Output of Succeed
    (stepfunctions, "_error_matches", state_language.error_matches),  # errors that States.ALL does not match
    (stepfunctions, "_fail_execution", state_language.fail_execution),  # executions that stay stopped
    (stepfunctions, "_add_event", state_language.add_event),  # the quota of results
    (stepfunctions, "_start_execution", state_language.start_execution),  # checks of the input
    (stepfunctions, "_start_sync_execution", state_language.start_execution),  # the same
    (stepfunctions, "_emit_execution_status_event", workflows.emit_execution_status_event),  # saved executions
    (stepfunctions, "_run_execution", workflows.run_execution),  # the role's rights, TimeoutSeconds
    (stepfunctions, "_invoke_resource", workflows.invoke_resource),  # the role's rights, SageMaker
    (stepfunctions, "_invoke_resource_with_timeout", workflows.invoke_resource_with_timeout),  # a stop of jobs
    (eventbridge, "_invoke_target", workflows.invoke_target),  # the target's role
    # Metrics and alarms
    (cloudwatch, "_evict_old_metrics", metric_store.evict_old_metrics),  # a lock
    (lambda_svc, "_execute_function_dispatch", service_metrics.execute_function),  # metrics of all invocations
    (lambda_svc, "_emit_lambda_metrics", service_metrics.emit_lambda_metrics),  # throttled ones
    (lambda_svc, "_emit_lambda_logs", service_metrics.emit_lambda_logs),  # embedded metrics
    (apigateway_v1, "_invoke_lambda_proxy_v1", service_metrics.invoke_lambda_proxy),  # IntegrationLatency
    (apigateway_v1, "_handle_execute_in_scope", service_metrics.handle_execute),  # metrics of REST APIs
    (stepfunctions, "_emit_execution_status_event", service_metrics.emit_execution_status_event),  # of state machines
    (provisioners, "_cw_metric_alarm_record", alarms.alarm_record),  # alarms on Metrics in templates
    (cloudwatch, "_evaluate_alarm", alarms.evaluate_alarm),  # metric math, dimensions, missing data
)


def install(service: SageMakerService) -> None:
    """Change the ministack of this process, once. The server has checked its version."""
    app.BANNER = "ministack on port {port}"  # the original fills a screen
    custom_resource._HOST = "127.0.0.1"  # "localhost" may resolve to ::1 first, where nothing listens
    for holders, name, wrapper in _WRAPPED:
        wrap(holders, name, wrapper)
    sagemaker_api.register(service)  # a SageMaker service
    sagemaker_resources.register()  # its resource types
    accepted_types.register()  # AWS::ApplicationAutoScaling::*, AWS::Budgets::Budget
    buckets.register()  # tags of AWS::S3::Bucket, and its deletion
    request_validators.register()  # AWS::ApiGateway::RequestValidator, and its use by methods
    concurrency.register()  # reservations in AWS::Lambda::Function
    environments.install()  # files that the environments of functions share
    persistence.install()  # copies of dicts that threads change
    alarms.start()  # alarms that change as time passes
