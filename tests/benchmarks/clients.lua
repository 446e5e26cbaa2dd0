-- A thousand clients, one after the other: each bears the key that the proxy gave it.
local keys, at = {}, 0
for number = 1, 1000 do keys[number] = string.format("strangler_client=%022d", number) end

function request()
    at = at % #keys + 1
    wrk.headers["Cookie"] = keys[at]
    return wrk.format()
end
