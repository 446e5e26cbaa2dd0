-- The line of a target's route, found in the map as strangler_proxy.patterns finds it in its tree: for paths that may
-- be under a placeholder, or can be read in more than one way. Written by manage.py haproxyconf;
-- strangler/rollout/engines/haproxy_entries.py says what the map holds.

local routes = Map.new(os.getenv("STRANGLER_ROUTES"), Map._str)

local function decoded(text)
    return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

-- The path of a target, without its query.
local function path_of(target)
    local path = target:match("^[^?#]*")
    if path:find("://", 1, true) then
        local behind = path:match("^[^/]*://[^/]*(.*)$")
        if behind then return behind end
    end
    return path
end

-- Whether a server could read the path as one of the proxy's own.
local function is_own(path)
    local parts = {}
    for part in decoded(path):gmatch("[^/]+") do
        if part == ".." then
            table.remove(parts)
        elseif part ~= "." then
            parts[#parts + 1] = part
        end
    end
    local first = parts[1] or ""
    return first == "-" or first:sub(1, 10) == ".strangler"
end

-- The decoded segments; nil where the path can be read in more than one way.
local function segments(path)
    if path:find("//", 1, true) then return nil end
    local parts = {}
    local odd = path:find("[%%\\%z]") or path:find("/.", 1, true)
    for part in path:gmatch("[^/]+") do
        if odd then
            part = decoded(part)
            if part == "." or part == ".." or part:find("[/\\%z]") then return nil end
        end
        parts[#parts + 1] = part
    end
    return parts
end

-- The most specific route: literal segments before placeholders, longer before shorter.
local function find(above, parts, depth)
    local part = parts[depth]
    if part == nil then return nil end
    local key = above .. "/" .. part
    local here = routes:lookup(key)
    if here ~= nil then
        local found = find(key, parts, depth + 1)
        if found ~= nil then return found end
        if here ~= "-" then return here end
    end
    key = above .. "/<>"
    here = routes:lookup(key)
    if here ~= nil then
        local found = find(key, parts, depth + 1)
        if found ~= nil then return found end
        if here ~= "-" then return here end
    end
    return nil
end

-- A commit between two look-ups would mix two tables, so it is looked whether there was one.
local function line_of(parts)
    local line, at
    repeat
        at = routes:lookup("@at")
        if parts == nil then
            line = routes:lookup("@ambiguous")
        else
            line = find("@", parts, 1) or routes:lookup("@default")
        end
    until routes:lookup("@at") == at
    return line or ""
end

core.register_converters("strangler", function(target)
    local path = path_of(target)
    if path:find("/[-.]") or path:find("%", 1, true) then
        if is_own(path) then return "own;own" end
    end
    return line_of(segments(path))
end)

-- Whether a client is one of a canary's cohorts, by the bucket of its key. Who has no clear key is taken for one.
core.register_fetches("strangler_in_cohort", function(txn)
    local key
    local cookies = txn.f:req_cook_cnt("strangler_client")
    if cookies == 1 then
        local given = txn.f:req_cook("strangler_client")
        if given and #given == 22 and given:match("^[%w_-]+$") then key = given end
    elseif cookies == 0 and txn.f:req_fhdr_cnt("authorization") == 1 then
        key = txn.f:req_fhdr("authorization")
    end
    if key == nil then return 1 end
    local lowest = tonumber(txn:get_var("txn.way"):match("^[^|]*|[^|]*|[^|]*|(%d+)"))
    return txn.c:crc32(key) % 10000 < lowest and 1 or 0
end)
