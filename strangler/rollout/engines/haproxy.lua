-- The route of a target, found in the map of routes as strangler_proxy.patterns finds it in its tree. Written by
-- manage.py haproxyconf; strangler/rollout/engines/haproxy_entries.py says what the map holds.

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
    if path:sub(1, 2) == "//" or path:sub(-2) == "//" then return nil end
    local parts = {}
    for part in path:gmatch("[^/]+") do
        if part:find("%", 1, true) then part = decoded(part) end
        if part == "." or part == ".." or part:find("[/\\%z]") then return nil end
        parts[#parts + 1] = part
    end
    if path:find("//", 1, true) then return nil end
    return parts
end

-- The most specific route: literal segments before placeholders, longer before shorter.
local function find(above, parts, depth)
    local part = parts[depth]
    if part == nil then return nil end
    local names = {part, "<>"}
    for at = 1, 2 do
        local key = above .. "/" .. names[at]
        local here = routes:lookup(key)
        if here ~= nil then
            local found = find(key, parts, depth + 1)
            if found ~= nil then return found end
            if here ~= "-" then return here end
        end
    end
    return nil
end

local function line_for(path)
    local parts = segments(path)
    if parts == nil then return routes:lookup("@ambiguous"), false end
    local found = find("", parts, 1)
    if found ~= nil then return found, true end
    return routes:lookup("@default"), false
end

-- A commit between two look-ups would mix two tables, so it is looked whether there was one.
local function line_of(path)
    local line, found, at
    repeat
        at = routes:lookup("@at")
        line, found = line_for(path)
    until routes:lookup("@at") == at
    return line or "", found
end

local function way_of(target, pattern)
    local path = path_of(target)
    if path:find("/[-.]") or path:find("%", 1, true) or path:sub(1, 1) ~= "/" then
        if is_own(path) then return "own" end
    end
    local line, found = line_of(path)
    return line:match(pattern) or "", found
end

core.register_converters("strangler_read", function(target)
    return (way_of(target, "^[^;]*"))
end)

core.register_converters("strangler_write", function(target)
    local way, found = way_of(target, "[^;]*$")
    -- While writes of a move are held, any other one may meet its fence, and is to be sent again then.
    if not found and way ~= "own" and routes:lookup("@hold") ~= nil then return ":companion|||0|0||" end
    return way
end)
