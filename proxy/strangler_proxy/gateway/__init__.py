"""What a project's policies are written in: `STRANGLER["GATEWAY"]` names a Gateway of them."""

from strangler_proxy.gateway.authorize import Authorize, Session, Tokens
from strangler_proxy.gateway.policies import Gateway, Policy
from strangler_proxy.gateway.throttle import Throttle

__all__ = ["Authorize", "Gateway", "Policy", "Session", "Throttle", "Tokens"]
