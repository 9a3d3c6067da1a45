-- What wrk sends: one request from the environment, with a fixed or a fresh bearer token, and how it reports.
--   RIG_METHOD, RIG_HEADERS ("Name: value" lines), RIG_BODY   the request
--   RIG_TOKENS   file with one token per line: each request takes the next one
--   RIG_BODIES   file with one body per line: the requests go round them
--   RIG_SAVE     file that receives every answer's body, one per line

local MARK = "@@token@@"
wrk.method = os.getenv("RIG_METHOD") or "GET"
wrk.body = os.getenv("RIG_BODY")
for name, value in (os.getenv("RIG_HEADERS") or ""):gmatch("([^:\n]+): ([^\n]*)") do
  wrk.headers[name] = value
end

local tokens = os.getenv("RIG_TOKENS")
local save = os.getenv("RIG_SAVE")
wraps = 0
unsaved = 0

local threads = {}
function setup(thread)
  table.insert(threads, thread)
end

if tokens then
  local lines, before, after
  local function open()
    lines = assert(io.open(tokens, "r"))
  end
  function init()
    wrk.headers["Authorization"] = "Bearer " .. MARK
    local whole = wrk.format()
    local from, to = whole:find(MARK, 1, true)
    before, after = whole:sub(1, from - 1), whole:sub(to + 1)
    open()
  end
  function request()
    local token = lines:read("*l")
    if not token then
      -- Every token was used once: the rest of the run repeats them, and the report says so.
      wraps = wraps + 1
      lines:close()
      open()
      token = lines:read("*l")
    end
    return before .. token .. after
  end
end

local bodies = os.getenv("RIG_BODIES")
if bodies then
  local ready, at = {}, 0
  function init()
    for body in io.lines(bodies) do
      table.insert(ready, wrk.format(nil, nil, nil, body))
    end
  end
  function request()
    at = at % #ready + 1
    return ready[at]
  end
end

if save then
  local file
  function response(status, _, body)
    file = file or assert(io.open(save, "w"))
    if status == 200 then
      file:write((body:gsub("\n", "")), "\n")
    else
      unsaved = unsaved + 1
    end
  end
end

function done(summary, latency)
  local wrapped = 0
  for _, thread in ipairs(threads) do
    wrapped = wrapped + (thread:get("wraps") or 0)
  end
  local errors = summary.errors
  io.write(string.format(
    'RIG {"requests": %d, "seconds": %.6f, "p50_us": %.1f, "p90_us": %.1f, "p99_us": %.1f, "p999_us": %.1f, ' ..
    '"max_us": %.1f, "refused": %d, "broken": %d, "wraps": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50), latency:percentile(90),
    latency:percentile(99), latency:percentile(99.9), latency.max, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout, wrapped))
end
