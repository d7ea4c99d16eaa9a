package dev.pgproxy.cache.redis;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.locks.LockSupport;

/** Several instances over one Redis, each behind a wire of its own, with clients that read and write at random. */
final class Fleet implements AutoCloseable {
    private final TestRedis redis;
    private final LinkSettings settings;
    private final FakeDatabase database = new FakeDatabase(4);
    private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    private final List<FakeInstance> instances = new CopyOnWriteArrayList<>();
    private final List<DelayingProxy> wires = new CopyOnWriteArrayList<>();
    private final List<RedisAccess> accesses = new ArrayList<>();
    private final List<FakeInstance> all = new CopyOnWriteArrayList<>();
    private final List<Thread> clients = new ArrayList<>();
    private final long seed;
    private final String namespace = InstanceLink.randomId();
    private volatile boolean over;

    Fleet(TestRedis redis, LinkSettings settings, long seed) {
        this.redis = redis;
        this.settings = settings;
        this.seed = seed;
    }

    FakeDatabase database() {
        return database;
    }

    FakeInstance add(FakeInstance.Fault fault) throws IOException {
        DelayingProxy wire = new DelayingProxy(redis.port());
        RedisAccess access = new RedisAccess(wire.settings(namespace));
        FakeInstance instance = new FakeInstance(database, access, settings, fault, timer);
        wires.add(wire);
        accesses.add(access);
        instances.add(instance);
        all.add(instance);
        return instance;
    }

    FakeInstance instance(int index) {
        return instances.get(index);
    }

    DelayingProxy wire(int index) {
        return wires.get(index);
    }

    int size() {
        return instances.size();
    }

    /** The process of this instance is killed; the others are told that it is gone when its clients are. */
    void kill(int index) {
        FakeInstance killed = instances.remove(index);
        wires.remove(index).cut(true);
        killed.kill();
    }

    /** Whoever knows that a process is dead says so. */
    void forgetTheDead() {
        for (FakeInstance dead : all) {
            if (dead.isDead()) {
                instances.forEach(instance -> instance.link().forget(dead.link().id()));
            }
        }
    }

    /** Clients that go to whatever instance is there. */
    void begin(int writers, int readers) {
        for (int i = 0; i < writers + readers; i++) {
            boolean writes = i < writers;
            Random random = new Random(seed + i);
            clients.add(Thread.ofPlatform().daemon().start(() -> {
                while (!over) {
                    FakeInstance instance = instances.get(random.nextInt(instances.size()));
                    int table = random.nextInt(database.tables());
                    if (writes) {
                        instance.write(table, random);
                        LockSupport.parkNanos(random.nextInt(10_000_000));
                    } else {
                        instance.read(table, random);
                        LockSupport.parkNanos(100_000);
                    }
                }
            }));
        }
    }

    boolean serves() {
        return !instances.isEmpty()
                && instances.stream().allMatch(instance -> instance.link().mayServe());
    }

    long hits() {
        return all.stream().mapToLong(FakeInstance::hits).sum();
    }

    long longestWait() {
        return all.stream().mapToLong(FakeInstance::longestWait).max().orElse(0);
    }

    /** The first thing that was wrong; empty if nothing was. */
    String violation() {
        return all.stream()
                .map(FakeInstance::violation)
                .filter(violation -> !violation.isEmpty())
                .findFirst()
                .orElse("");
    }

    @Override
    public void close() throws IOException, InterruptedException {
        over = true;
        for (Thread client : clients) {
            client.join(10_000);
        }
        all.forEach(FakeInstance::close);
        accesses.forEach(RedisAccess::close);
        for (DelayingProxy wire : wires) {
            wire.close();
        }
        timer.shutdownNow();
    }
}
