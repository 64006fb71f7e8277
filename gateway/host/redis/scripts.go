package redis

import goredis "github.com/redis/go-redis/v9"

// strike is limit.Strikes.Strike where several gateways strike at once. Held to
// limit/testdata/lockout.json.
var strike = goredis.NewScript(`
local n, per, now, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local v = redis.call('HMGET', KEYS[1], 'since', 'count', 'until', 'lock')
local since, count, till, lock = tonumber(v[1] or 0), tonumber(v[2] or 0), tonumber(v[3] or 0), tonumber(v[4] or 0)
if till - now > longest then since, count, till, lock = 0, 0, 0, 0 end
if now < till then return {0, 0, till - now, till - now} end
if lock > 0 and now >= till + longest then since, count, till, lock = 0, 0, 0, 0 end
local answer, forget
if lock > 0 then
  lock = math.min(2 * lock, longest)
  till = now + lock
  answer, forget = {1, 0, lock, lock}, till + longest
else
  if now >= since + per or now < since then since, count = now, 0 end
  count = count + 1
  if count > n then
    lock, till = per, now + per
    answer, forget = {0, 0, per, per}, till + longest
  else
    answer, forget = {1, n - count, since + per - now, 0}, since + per
  end
end
redis.call('HSET', KEYS[1], 'since', since, 'count', count, 'until', till, 'lock', lock)
redis.call('PEXPIRE', KEYS[1], forget - now)
return answer
`)

// spend is native's spent where several gateways spend.
var spend = goredis.NewScript(`
local now, from, till = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('SET', KEYS[2], now, 'NX')
if till == 0 then return redis.call('SETNX', KEYS[1], 1) end
if from < tonumber(redis.call('GET', KEYS[2])) or till <= now then return 0 end
if redis.call('SET', KEYS[1], 1, 'NX', 'PX', till - now) then return 1 end
return 0
`)
