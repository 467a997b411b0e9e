"""The configurations whose templates are tested and compared: options that no environment of `cdk.json` uses, too."""

GUARDED = {
    "api.api_key_required": "true",
    "api.clients": "shop,newsletter",
    "api.client_rate_limit": "5",
    "api.client_burst_limit": "10",
    "api.client_daily_quota": "10000",
    "api.allowed_cidrs": "203.0.113.0/24,2001:db8::/32",
    "api.waf": "true",
    "api.waf_rate_limit": "500",
    "api.tracing": "true",
    "api.domain_name": "classify.example.com",
    "api.certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/0f1e2d3c-0000-4000-8000-000000000000",
    "api.hosted_zone_id": "Z0123456789ABCDEFGHIJ",
}
"""Everything that protects an API, as `cdk -c` would set it."""
SLIM = {"serving.container": "slim"}
WARM = {"serving.provisioned_concurrency.min": "1", "serving.provisioned_concurrency.max": "4"}
KEYED = {
    "own_key": "true",
    "training.hub_token_secret": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:hub-token-Ab1Cd2",
}
"""A key and a secret of one's own."""
ISOLATED = {"training.isolated": "true", "training.base_model": "channel:base_model"}
INSTANCES = {"serving.kind": "instances", "serving.instances.max_count": "6"}
_OPTIONS = {
    "plain": {},
    "slim": SLIM,
    "warm": WARM,
    "instances": INSTANCES,
    "guarded": GUARDED,
    "keyed": KEYED,
    "all": {**SLIM, **INSTANCES, **GUARDED},
    "all-keyed": {**SLIM, **INSTANCES, **GUARDED, **KEYED},
}
CONFIGURATIONS = {
    f"{env}-{name}": {"env": env, **values} for env in ("local", "dev", "prod") for name, values in _OPTIONS.items()
} | {"prod-isolated": {"env": "prod", "own_key": "true", **ISOLATED}}
"""Name of a configuration → its context: each environment, plain and with its options."""
