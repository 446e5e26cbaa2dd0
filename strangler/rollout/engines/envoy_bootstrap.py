"""What Envoy is started with: everything that stays while tables change. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from strangler.rollout.engines.envoy_config import BUCKET, COMPANION_CLUSTER, ROUTES, address, cluster

BOOTSTRAP, ADMIN = "bootstrap.json", "admin.sock"
"""Files in an engine's directory."""
RDS, CDS = "routes.json", "clusters.json"
"""Those that change with every table."""

_CODE = """
local crc = {}
for number = 0, 255 do
  local value = number
  for _ = 1, 8 do
    value = bit.bxor(bit.rshift(value, 1), bit.band(value, 1) == 1 and 0xEDB88320 or 0)
  end
  crc[number] = value
end
local function bucket(key)
  local value = -1
  for at = 1, #key do
    value = bit.bxor(bit.rshift(value, 8), crc[bit.band(bit.bxor(value, key:byte(at)), 255)])
  end
  return bit.bnot(value) % 4294967296 % 10000
end
local function client(headers)
  for at = 0, headers:getNumValues("cookie") - 1 do
    for part in (headers:getAtIndex("cookie", at) .. ";"):gmatch("([^;]*);") do
      local key = part:match("^%s*strangler_client=([%w_-]+)%s*$")
      if key and #key == 22 then return key end
    end
  end
  local said = {}
  for at = 0, headers:getNumValues("authorization") - 1 do said[#said + 1] = headers:getAtIndex("authorization", at) end
  local key = table.concat(said, ", ")
  return key ~= "" and key or nil
end
function envoy_on_request(request)
  local key = client(request:headers())
  if key then
    request:streamInfo():dynamicMetadata():set("strangler", "bucket", bucket(key))
    request:clearRouteCache()
  end
end
"""

_OURS = ("strangler-", "strangler_")
_SAID = ("strangler-", "x-forwarded-", "forwarded", "x-real-ip", "x-envoy-", "proxy-")
"""What only a proxy may say, and what Envoy itself would obey."""
_WAY = {
    "x-forwarded-for": "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
    "x-forwarded-proto": "%REQ(:SCHEME)%",
    "x-forwarded-host": "%REQ(:AUTHORITY)%",
}
# Of several, which no route can tell from one, the first stays.
_ONE_TRACE = {
    "append": {
        "header": {"key": "traceparent", "value": "%REQ(traceparent)%"},
        "append_action": "OVERWRITE_IF_EXISTS",
    }
}


def bootstrap(*, directory: Path, listen: tuple[str, int], companions: Sequence[tuple[str, int]]) -> dict[str, Any]:
    """The configuration to start Envoy with (envoy -c); its tables are read from "directory".

    "companions" is where Python proxies listen for it.
    """

    def watched(name: str) -> dict[str, Any]:
        return {
            "resource_api_version": "V3",
            "path_config_source": {"path": str(directory / name), "watched_directory": {"path": str(directory)}},
        }

    manager = {
        "@type": f"{_HTTP}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": ROUTES,
        "rds": {"route_config_name": ROUTES, "config_source": watched(RDS)},
        "use_remote_address": True,
        "skip_xff_append": True,
        "internal_address_config": {},
        "generate_request_id": False,
        # WSGI takes underscores for dashes.
        "common_http_protocol_options": {"headers_with_underscores_action": "DROP_HEADER"},
        "server_header_transformation": "PASS_THROUGH",
        "http_protocol_options": {"enable_trailers": True, "accept_http_10": True},
        "upgrade_configs": [{"upgrade_type": "websocket"}],
        "stream_idle_timeout": "300s",
        "delayed_close_timeout": "0.2s",
        "http_filters": [
            {
                "name": "strangler.fields",
                "typed_config": {
                    "@type": f"{_HTTP}.http.header_mutation.v3.HeaderMutation",
                    "mutations": {
                        "request_mutations": [
                            *map(_removed, _SAID),
                            *({"append": {"header": {"key": key, "value": value}}} for key, value in _WAY.items()),
                            _ONE_TRACE,
                        ],
                        "request_trailers_mutations": [*map(_removed, _SAID)],
                        "response_mutations": [*map(_removed, _OURS)],
                    },
                },
            },
            {
                "name": BUCKET,
                "disabled": True,
                "typed_config": {
                    "@type": f"{_HTTP}.http.lua.v3.Lua",
                    "default_source_code": {"inline_string": _CODE},
                },
            },
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_HTTP}.http.router.v3.Router", "suppress_envoy_headers": True},
            },
        ],
    }
    return {
        "node": {"id": ROUTES, "cluster": ROUTES},
        "admin": {"address": {"pipe": {"path": str(directory / ADMIN), "mode": 0o600}}},
        # One regular expression stands for any number of patterns; by default Envoy takes none that is so large.
        "layered_runtime": {
            "layers": [
                {"name": "static", "static_layer": {"re2.max_program_size.error_level": 1_000_000_000}},
                {"name": "told", "admin_layer": {}},
            ]
        },
        "dynamic_resources": {"cds_config": watched(CDS)},
        "static_resources": {
            "clusters": [cluster(COMPANION_CLUSTER, companions)] if companions else [],
            "listeners": [
                {
                    "name": ROUTES,
                    "address": address(*listen),
                    "filter_chains": [
                        {
                            "filters": [
                                {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
                            ]
                        }
                    ],
                }
            ],
        },
    }


_HTTP = "type.googleapis.com/envoy.extensions.filters"


def _removed(prefix: str) -> dict[str, Any]:
    return {"remove_on_match": {"key_matcher": {"prefix": prefix}}}
