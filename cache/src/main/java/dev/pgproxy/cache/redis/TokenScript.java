package dev.pgproxy.cache.redis;

/**
 * Lends tokens of one limit, in one atomic step and by Redis' own clock, in microseconds. Keys: {@code limit}, a hash of what
 * is lent or was used, and {@code rates}, since when this process of Redis has remembered everything. Arguments: id of
 * Redis' run, tokens in a window, the window, for how long tokens may be used, id of the block, how many are wanted, how
 * many are needed at least, then what has become of earlier ones, three each: id of the block or {@code -}, used, age of the
 * last use. Returns how many are lent, for how long Redis does not yet remember a whole window, and how long it takes until
 * as many as were needed can be had.
 *
 * <p>A field of {@code limit} is {@code end:block} for a block that is in use until {@code end} at the latest, or {@code end}
 * for what was used until then, rounded up to a 256th of the window. It counts for one window after its end.
 */
final class TokenScript {
    static final String TEXT = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local most, window, valid = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
        local known = redis.call('HMGET', KEYS[2], 'run', 'since')
        local since = tonumber(known[2] or now)
        if known[1] ~= ARGV[1] then
          since = now
          redis.call('HSET', KEYS[2], 'run', ARGV[1], 'since', string.format('%.0f', now))
        end
        redis.call('PEXPIRE', KEYS[2], 2592000000)
        local grain = math.max(1, math.floor(window / 256))
        local function used(last, count)
          local field = string.format('%.0f', math.ceil(last / grain) * grain)
          redis.call('HINCRBY', KEYS[1], field, count)
        end
        local told = {}
        for i = 8, #ARGV, 3 do
          if ARGV[i] ~= '-' then
            told[ARGV[i]] = {tonumber(ARGV[i + 1]), now - ARGV[i + 2]}
          elseif ARGV[i + 2] + 0 < window then
            used(now - ARGV[i + 2], ARGV[i + 1])
          end
        end
        if next(told) then
          for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
            local last, block = string.match(field, '^(%d+):(.+)$')
            local ending = block and told[block]
            if ending then
              redis.call('HDEL', KEYS[1], field)
              if ending[1] > 0 then used(math.min(last, ending[2]), ending[1]) end
            end
          end
        end
        local ends, taken = {}, 0
        local fields = redis.call('HGETALL', KEYS[1])
        for i = 1, #fields, 2 do
          local free = string.match(fields[i], '^%d+') + window
          if free <= now then
            redis.call('HDEL', KEYS[1], fields[i])
          else
            taken = taken + fields[i + 1]
            ends[#ends + 1] = {free, tonumber(fields[i + 1])}
          end
        end
        local lent = math.max(0, math.min(tonumber(ARGV[6]), most - taken))
        if lent > 0 then
          redis.call('HSET', KEYS[1], string.format('%.0f:%s', now + valid, ARGV[5]), lent)
        end
        local wait, lack = 0, taken + tonumber(ARGV[7]) - most
        if lack > 0 then
          table.sort(ends, function(a, b) return a[1] < b[1] end)
          for _, each in ipairs(ends) do
            if lack > 0 then
              wait = each[1] - now
              lack = lack - each[2]
            end
          end
        end
        local keep = math.ceil((window + valid + grain) / 1000) + 1000
        if redis.call('PTTL', KEYS[1]) < keep then redis.call('PEXPIRE', KEYS[1], keep) end
        return {lent, math.max(0, since + window + valid - now), wait}
        """;

    private TokenScript() {}
}
