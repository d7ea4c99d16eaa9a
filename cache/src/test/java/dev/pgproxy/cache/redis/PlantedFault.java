package dev.pgproxy.cache.redis;

/** A way in which Redis counts wrongly: what checks a limit must find it. */
public enum PlantedFault {
    LENT_IS_NOT_COUNTED("redis.call('HSET', KEYS[1], string.format('%.0f:%s', now + valid, ARGV[5]), lent)", ""),
    USED_IS_FORGOTTEN("if ending[1] > 0 then used(math.min(last, ending[2]), ending[1]) end", ""),
    FORGETS_AFTER_HALF_A_WINDOW(
            "string.match(fields[i], '^%d+') + window", "string.match(fields[i], '^%d+') + window / 2");

    private final String right;
    private final String wrong;

    PlantedFault(String right, String wrong) {
        this.right = right;
        this.wrong = wrong;
    }

    /** A bank whose Redis counts so. */
    public TokenBank bank(RedisAccess access, InstanceLink link) {
        if (!TokenScript.TEXT.contains(right)) {
            throw new AssertionError("the script does not say " + right);
        }
        return new TokenBank(access, link, TokenScript.TEXT.replace(right, wrong));
    }
}
