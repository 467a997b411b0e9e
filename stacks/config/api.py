"""The API block of the configuration: throttling, keys, networks, firewall and domain."""

import ipaddress
import re
from typing import Annotated, Self

from pydantic import model_validator

from stacks.config.fields import Section, between, check, matching
from stacks.errors import ConfigError

_RATE = between(1, 10_000, "requests a second")
_BURST = between(1, 5000, "requests")


class ApiConfig(Section):
    """The REST API in front of the endpoint, and what protects it. Throttling is always on."""

    rate_limit: Annotated[int, _RATE]
    """Steady requests a second, over all clients and methods."""
    burst_limit: Annotated[int, _BURST]
    """Requests accepted at once on top of that."""
    predictions_rate_limit: Annotated[int, _RATE]
    """Steady requests a second to `POST /v1/predictions`, at most `rate_limit`; the rest is left to the other paths."""
    predictions_burst_limit: Annotated[int, _BURST]
    """Predictions accepted at once on top of that, at most `burst_limit`. While the model hangs, each may hold a Lambda
    for 25 s: burst + 25 × rate should stay below half of the account's Lambda concurrency (1,000; new accounts: 10)."""
    reserved_concurrency: Annotated[int, between(0, 10_000, "executions")] = 0
    """Lambda executions that are kept for the API, and the most it may have; further requests are answered 500. AWS
    leaves at least 100 unreserved, so new accounts, which have 10, refuse any. 0 reserves none."""
    status_rate_limit: Annotated[int, _RATE] = 5
    """Steady requests a second to each of `GET /v1/health` and `GET /v1/model`. Both need no key and may call the
    model, which costs money. Never above `rate_limit`."""
    status_burst_limit: Annotated[int, _BURST] = 10
    """Status requests accepted at once on top of that. Never above `burst_limit`."""
    api_key_required: bool
    """Whether `POST /v1/predictions` requires an `x-api-key` header."""
    clients: tuple[str, ...] = ("default",)
    """With keys: who gets one, 1 to 100 different names of lower-case letters, digits and hyphens."""
    client_rate_limit: Annotated[int, between(0, 10_000, "requests a second")] = 10
    """With keys: steady requests a second per key, never above `rate_limit`; 0 leaves it to the limits above."""
    client_burst_limit: Annotated[int, _BURST] = 20
    """With `client_rate_limit`: requests accepted at once per key, never above `burst_limit`."""
    client_daily_quota: Annotated[int, between(0, 1_000_000_000, "requests a day")] = 100_000
    """With keys: requests per key and day; 0 for no quota."""
    allowed_cidrs: tuple[str, ...] = ()
    """Networks that may call the API, such as `203.0.113.0/24`, at most 50; an empty list admits everybody."""
    waf: bool = False
    """Whether a web application firewall protects the API; AWS charges a fixed monthly price for it."""
    waf_rate_limit: Annotated[int, between(10, 2_000_000_000, "requests in 5 minutes")] = 2000
    """With the firewall: requests per address in 5 minutes."""
    domain_name: Annotated[
        str,
        matching(
            r"|([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}",
            "a domain in lower case such as api.example.com, or nothing",
            longest=253,
        ),
    ] = ""
    """Your own domain, such as `api.example.com`; empty for the address that AWS assigns."""
    certificate_arn: Annotated[
        str,
        matching(
            r"|arn:[a-z-]+:acm:[a-z0-9-]+:[0-9]{12}:certificate/[A-Za-z0-9-]+",
            "the ARN of a certificate in ACM, or nothing",
        ),
    ] = ""
    """With a domain: ARN of its certificate in ACM, in the region of the API."""
    hosted_zone_id: Annotated[
        str, matching(r"|Z[A-Z0-9]{1,31}", "the id of a hosted zone, Z and capitals and digits, or nothing")
    ] = ""
    """With a domain: Route 53 zone that gets its record; empty where DNS is managed elsewhere."""
    tracing: bool = False
    """Whether API Gateway and Lambda send X-Ray a trace of each request that it samples. The call of the endpoint is no
    part of its own in it; log lines carry the trace id."""
    log_texts: bool = False
    """Whether callers' texts are logged. They may hold personal data: leave it off in production."""
    fixed_id: Annotated[str, matching("[a-z0-9]{0,32}", "up to 32 lower-case letters and digits")] = ""
    """Fixed API id (tag `ms-custom-id`), for the local cloud only; AWS chooses its own."""

    @property
    def held_executions(self) -> int:
        """Lambdas that may wait at once for a model that hangs: each does for up to 25 s."""
        held = self.predictions_burst_limit + 25 * self.predictions_rate_limit
        return min(held, self.reserved_concurrency or held)

    @model_validator(mode="after")
    def _check_limits(self) -> Self:
        for name, most, unit in (
            ("predictions_rate_limit", self.rate_limit, "requests a second"),
            ("predictions_burst_limit", self.burst_limit, "requests"),
        ):
            value = getattr(self, name)
            check(value <= most, f"api.{name}", f"{value} is not allowed; {unit} from 1 to {most}")
        return self

    @model_validator(mode="after")
    def _check_clients(self) -> Self:
        well_formed = all(re.fullmatch(r"[a-z0-9][a-z0-9-]{0,30}", client) for client in self.clients)
        check(
            1 <= len(self.clients) <= 100 and well_formed and len(set(self.clients)) == len(self.clients),
            "api.clients",
            f"'{', '.join(self.clients)}' is not allowed; 1 to 100 different names of up to 31 lower-case letters, "
            "digits and hyphens",
        )
        for name in sorted({"client_rate_limit", "client_burst_limit", "client_daily_quota"} & self.model_fields_set):
            check(
                self.api_key_required or not getattr(self, name),
                f"api.{name}",
                "limits the requests of a key, but api.api_key_required is false; set that to true or leave this out",
            )
        return self

    @model_validator(mode="after")
    def _check_networks(self) -> Self:
        name = "api.allowed_cidrs"
        check(len(self.allowed_cidrs) <= 50, name, f"has {len(self.allowed_cidrs)} networks; at most 50")
        for cidr in self.allowed_cidrs:
            try:
                network = ipaddress.ip_network(cidr)
            except ValueError as error:
                problem = f"'{cidr}' is not allowed ({error}); networks such as 203.0.113.0/24 or 2001:db8::/32"
                raise ConfigError(name, problem) from error
            check(network.prefixlen, name, f"'{cidr}' is everybody; leave the list empty to admit them")
        return self

    @model_validator(mode="after")
    def _check_domain(self) -> Self:
        check(
            bool(self.domain_name) == bool(self.certificate_arn),
            "api.certificate_arn",
            "and api.domain_name go together; set both or neither",
        )
        check(
            self.domain_name or not self.hosted_zone_id,
            "api.hosted_zone_id",
            "is set but api.domain_name is empty; set both or neither",
        )
        return self
