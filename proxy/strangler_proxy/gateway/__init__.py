"""What a project's policies are written in: `STRANGLER["GATEWAY"]` names a Gateway of them."""

from strangler_proxy.gateway.authorize import Authorize, Keys, Session, Tokens
from strangler_proxy.gateway.cache import Cache
from strangler_proxy.gateway.documents import Describe, Fault, Mock, Validate
from strangler_proxy.gateway.plans import Plan
from strangler_proxy.gateway.policies import Gateway, Policy
from strangler_proxy.gateway.resilience import Breaker, Bulkhead, Resilience, Retry
from strangler_proxy.gateway.throttle import Throttle
from strangler_proxy.gateway.transform import Body, Fields, Message, Transform
from strangler_proxy.gateway.versions import Stage, Version, Versions

__all__ = [
    "Authorize",
    "Body",
    "Breaker",
    "Bulkhead",
    "Cache",
    "Describe",
    "Fault",
    "Fields",
    "Gateway",
    "Keys",
    "Message",
    "Mock",
    "Plan",
    "Policy",
    "Resilience",
    "Retry",
    "Session",
    "Stage",
    "Throttle",
    "Tokens",
    "Transform",
    "Validate",
    "Version",
    "Versions",
]
