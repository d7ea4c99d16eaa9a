package dev.pgproxy.cache.redis;

/**
 * What the instances do in Redis, each in one atomic step. Keys, in this order: {@code state} (generation, id of Redis'
 * run, settled, the last sequence number, the number at which all epochs were last raised), {@code members} (instance ->
 * incarnation and number of the last sign of life), {@code lost} (instance -> incarnation), {@code doubts} (owner:number
 * -> the doubt), {@code epochs} (database and table -> sequence number). The arguments begin with generation, instance
 * and incarnation; all but JOIN return nothing where these are not current. Each hash but the first has the generation in its
 * field {@code #}: where Redis has thrown one of them away, the generation has ended. Messages are described at {@link Message}.
 */
enum LinkScript {
    /**
     * new generation (if there is none), instance, incarnation, batch, dirty, last generation, channel, then counted lists:
     * own doubts, doubts of others, others that were there in the last generation (instance and incarnation in turn).
     */
    JOIN("""
        local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
        local gen = redis.call('HGET', KEYS[1], 'gen')
        local whole = gen and redis.call('HGET', KEYS[1], 'run') == run
        for i = 2, 5 do whole = whole and redis.call('HGET', KEYS[i], '#') == gen end
        if not whole then
          redis.call('DEL', KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5])
          gen = ARGV[1]
          redis.call('HSET', KEYS[1], 'gen', gen, 'run', run)
          for i = 2, 5 do redis.call('HSET', KEYS[i], '#', gen) end
        end
        local id, inc, channel, at = ARGV[2], ARGV[3], ARGV[7], 8
        local message = {'J', id, inc, ARGV[4], ARGV[5], '0'}
        for _, key in ipairs(redis.call('HKEYS', KEYS[4])) do
          if string.match(key, '^[^:]+') == id then redis.call('HDEL', KEYS[4], key) end
        end
        local last = at + tonumber(ARGV[at])
        for i = at + 1, last do
          redis.call('HSET', KEYS[4], string.match(ARGV[i], '^[^:]+:%d+'), ARGV[i])
          message[#message + 1] = ARGV[i]
        end
        at = last + 1
        last = at + tonumber(ARGV[at])
        for i = at + 1, last do
          if gen ~= ARGV[6] and redis.call('HEXISTS', KEYS[2], string.match(ARGV[i], '^[^:]+')) == 0
              and redis.call('HSETNX', KEYS[4], string.match(ARGV[i], '^[^:]+:%d+'), ARGV[i]) == 1 then
            message[#message + 1] = ARGV[i]
          end
        end
        at = last + 1
        last = at + tonumber(ARGV[at])
        for i = at + 1, last, 2 do
          if gen ~= ARGV[6] and redis.call('HEXISTS', KEYS[2], ARGV[i]) == 0 then
            redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
            redis.call('PUBLISH', channel, 'L ' .. ARGV[i] .. ' ' .. ARGV[i + 1])
          end
        end
        redis.call('HDEL', KEYS[3], id)
        redis.call('HSET', KEYS[2], id, inc .. ' 0')
        local base = redis.call('HGET', KEYS[1], 'base') or '0'
        if ARGV[5] == '1' then
          base = redis.call('HINCRBY', KEYS[1], 'seq', 1)
          redis.call('HSET', KEYS[1], 'base', base)
          redis.call('DEL', KEYS[5])
          redis.call('HSET', KEYS[5], '#', gen)
        end
        message[6] = base
        redis.call('PUBLISH', channel, table.concat(message, ' '))
        return {gen, redis.call('HGET', KEYS[1], 'settled') or '0', tostring(base), redis.call('HGETALL', KEYS[2]),
          redis.call('HGETALL', KEYS[3]), redis.call('HVALS', KEYS[4]), redis.call('HGETALL', KEYS[5])}
        """),
    /** …, number, whether the generation is settled, channel, acknowledgements. */
    BEAT(Part.MEMBER + """
        redis.call('HSET', KEYS[2], ARGV[2], ARGV[3] .. ' ' .. ARGV[4])
        if ARGV[5] == '1' then redis.call('HSET', KEYS[1], 'settled', '1') end
        redis.call('PUBLISH', ARGV[6], 'B ' .. ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4] .. ARGV[7])
        return {1}
        """),
    /** …, batch, channel, doubts. Returns the members. */
    DOUBT(Part.MEMBER + """
        local message = {'D', ARGV[2], ARGV[3], ARGV[4]}
        for i = 6, #ARGV do
          redis.call('HSET', KEYS[4], string.match(ARGV[i], '^[^:]+:%d+'), ARGV[i])
          message[#message + 1] = ARGV[i]
        end
        redis.call('PUBLISH', ARGV[5], table.concat(message, ' '))
        return redis.call('HGETALL', KEYS[2])
        """),
    /** …, how many epochs are kept, channel, settlements. */
    SETTLE(Part.MEMBER + """
        local seq = 0
        local message = {}
        for i = 6, #ARGV do
          local id, ending, database, tables = string.match(ARGV[i], '^([^:]+:%d+):(%d):([^:]*):(.*)$')
          redis.call('HDEL', KEYS[4], id)
          message[#message + 1] = ARGV[i]
          if ending ~= '0' then
            if seq == 0 then seq = redis.call('HINCRBY', KEYS[1], 'seq', 1) end
            for name in string.gmatch(tables, '[^,]+') do
              redis.call('HSET', KEYS[5], database .. ' ' .. name, seq)
            end
          end
        end
        redis.call('PUBLISH', ARGV[5], 'S ' .. ARGV[2] .. ' ' .. seq .. ' ' .. table.concat(message, ' '))
        if redis.call('HLEN', KEYS[5]) > tonumber(ARGV[4]) then
          redis.call('DEL', KEYS[5])
          redis.call('HSET', KEYS[5], '#', ARGV[1])
          redis.call('HSET', KEYS[1], 'base', seq)
          redis.call('PUBLISH', ARGV[5], 'E ' .. ARGV[2] .. ' ' .. seq)
        end
        return {1}
        """),
    /** …, channel: everything was written. */
    FLUSH(Part.MEMBER + """
        local base = redis.call('HINCRBY', KEYS[1], 'seq', 1)
        redis.call('HSET', KEYS[1], 'base', base)
        redis.call('DEL', KEYS[5])
        redis.call('HSET', KEYS[5], '#', ARGV[1])
        redis.call('PUBLISH', ARGV[4], 'A ' .. ARGV[2] .. ' ' .. base)
        return {1}
        """),
    /** …, channel, another instance, its incarnation, the number of its last sign of life. */
    EVICT(Part.MEMBER + """
        if redis.call('HGET', KEYS[2], ARGV[5]) == ARGV[6] .. ' ' .. ARGV[7] then
          redis.call('HDEL', KEYS[2], ARGV[5])
          redis.call('HSET', KEYS[3], ARGV[5], ARGV[6])
          redis.call('PUBLISH', ARGV[4], 'L ' .. ARGV[5] .. ' ' .. ARGV[6])
        end
        return {1}
        """),
    /** …, channel, another instance, its incarnation. */
    FORGET(Part.MEMBER + """
        if redis.call('HGET', KEYS[3], ARGV[5]) == ARGV[6] then
          redis.call('HDEL', KEYS[3], ARGV[5])
          local base = redis.call('HINCRBY', KEYS[1], 'seq', 1)
          redis.call('HSET', KEYS[1], 'base', base)
          redis.call('DEL', KEYS[5])
          redis.call('HSET', KEYS[5], '#', ARGV[1])
          redis.call('PUBLISH', ARGV[4], 'F ' .. ARGV[5] .. ' ' .. ARGV[6] .. ' ' .. base)
        end
        return {1}
        """),
    /** …, channel. */
    LEAVE(Part.MEMBER + """
        redis.call('HDEL', KEYS[2], ARGV[2])
        redis.call('PUBLISH', ARGV[4], 'G ' .. ARGV[2] .. ' ' .. ARGV[3])
        return {1}
        """);

    /** What several of them begin with. */
    private static final class Part {
        private static final String MEMBER = """
            local own = redis.call('HGET', KEYS[2], ARGV[2])
            local whole = redis.call('HGET', KEYS[1], 'gen') == ARGV[1]
            for i = 2, 5 do whole = whole and redis.call('HGET', KEYS[i], '#') == ARGV[1] end
            if not whole or not own or string.match(own, '^%d+') ~= ARGV[3] then return {} end
            """;

        private Part() {}
    }

    private final String text;

    LinkScript(String text) {
        this.text = text;
    }

    String text() {
        return text;
    }
}
