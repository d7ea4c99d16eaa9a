package dev.pgproxy.consistency;

import dev.pgproxy.cache.redis.DelayingProxy;
import dev.pgproxy.cache.redis.TestRedis;
import dev.pgproxy.testing.Endpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/** Several proxies, each a process of its own, before one primary and over a Redis of their own. Confined to its thread. */
final class Fleet implements AutoCloseable {
    private final TestRedis redis;
    private final List<FleetMember> members = new ArrayList<>();

    private Fleet(TestRedis redis) {
        this.redis = redis;
    }

    /** @param settings of each, but for where it listens and where Redis is */
    static Fleet start(int size, Arena arena, String settings) {
        try {
            Fleet fleet = new Fleet(new TestRedis());
            for (int i = 0; i < size; i++) {
                DelayingProxy wire = new DelayingProxy(fleet.redis.port());
                fleet.members.add(new FleetMember(arena, settings, wire));
            }
            return fleet;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    TestRedis redis() {
        return redis;
    }

    List<FleetMember> members() {
        return members;
    }

    /** Each session is a client of one of them. */
    Link.Target target() {
        List<Endpoint> endpoints = members.stream().map(FleetMember::endpoint).toList();
        return Targets.among(endpoints);
    }

    @Override
    public void close() {
        members.forEach(FleetMember::close);
        try {
            redis.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
