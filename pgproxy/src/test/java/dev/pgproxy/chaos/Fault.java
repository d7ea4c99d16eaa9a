package dev.pgproxy.chaos;

import static org.awaitility.Awaitility.await;

import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Signals;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/** Something that goes wrong, and is over when {@link #strike} returns; the proxy may have to recover from it yet. */
enum Fault {
    DELAY {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).delay(1 + random.nextInt(80));
            pause(random, 2000);
        }
    },
    THROTTLE {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).throttle(20_000);
            pause(random, 2000);
        }
    },
    CUT {
        @Override
        void strike(Estate estate, int host, Random random) {
            for (int i = 0; i < 5; i++) {
                estate.wire(host).cut();
                pause(random, 200);
            }
        }
    },
    HALF_CLOSE {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).halfClose();
        }
    },
    REFUSE {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).refuse(true);
            estate.wire(host).cut();
            pause(random, 3000);
        }
    },
    HOLD {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).hold(true);
            pause(random, 4000);
        }
    },
    DROP {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.wire(host).drop(true);
            pause(random, 2000);
        }
    },
    CORRUPT {
        @Override
        void strike(Estate estate, int host, Random random) {
            for (int i = 0; i < 5; i++) {
                estate.wire(host).corrupt(1 + random.nextInt(3));
                pause(random, 300);
            }
        }
    },
    TERMINATE {
        @Override
        void strike(Estate estate, int host, Random random) {
            for (int i = 0; i < 5; i++) {
                estate.value(
                        host,
                        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                                + " AND backend_type = 'client backend' AND random() < 0.5");
                pause(random, 200);
            }
        }
    },
    /** Every connection that is free is taken. */
    CROWD {
        @Override
        void strike(Estate estate, int host, Random random) {
            List<RawClient> crowd = new ArrayList<>();
            boolean free = true;
            while (free) {
                RawClient one = estate.direct(host).connect();
                free = one.login("postgres", estate.direct(host).password(), "postgres")
                        .getLast()
                        .isReady();
                crowd.add(one);
            }
            pause(random, 1500);
            crowd.forEach(RawClient::close);
        }
    },
    /** The whole server stands still, and does not know of it. */
    FREEZE {
        @Override
        void strike(Estate estate, int host, Random random) throws Exception {
            List<Long> processes = Signals.processesOf(estate.host(host));
            Signals.sendToThoseLeft("STOP", processes);
            pause(random, 4000);
            Signals.sendToThoseLeft("CONT", processes);
        }
    },
    RESTART {
        @Override
        void strike(Estate estate, int host, Random random) {
            if (random.nextBoolean()) {
                estate.host(host).stop();
            } else {
                estate.host(host).stopImmediately();
            }
            startAgain(estate, host, random);
        }
    },
    KILL {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.host(host).kill9();
            startAgain(estate, host, random);
        }
    },
    KILL_THE_PRIMARY {
        @Override
        void strike(Estate estate, int host, Random random) {
            int primary = estate.primary();
            estate.host(primary).kill9();
            if (random.nextInt(3) == 0) { // somebody is faster than the proxy
                int other = (primary + 1 + random.nextInt(estate.size() - 1)) % estate.size();
                promoteIfFirst(estate, other, primary);
            }
            await("another primary").until(() -> estate.primary() >= 0);
            startAgain(estate, primary, random);
        }
    },
    SWITCHOVER {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.switchover(host);
        }
    },
    /** The primary is killed with commits that were acknowledged and that no replica has. */
    LOSE_THE_PRIMARY {
        @Override
        void strike(Estate estate, int host, Random random) throws Exception {
            int primary = estate.primary();
            List<Long> senders = estate.walSenders(primary);
            Signals.sendToThoseLeft("STOP", senders);
            pause(random, 2000);
            estate.host(primary).kill9();
            Signals.sendToThoseLeft("KILL", senders);
            await("another primary").until(() -> estate.primary() >= 0);
            startAgain(estate, primary, random);
        }
    },
    /** There is no room for more WAL: the first host is made the primary for it, and ends until there is room. */
    FILL_WAL {
        @Override
        void strike(Estate estate, int host, Random random) {
            if (estate.primary() != 0) {
                estate.switchover(0);
                await("the first host").ignoreExceptions().until(() -> estate.primary() == 0);
            }
            estate.smallWal().fill();
            await("another primary").atMost(Duration.ofMinutes(2)).until(() -> {
                switchWal(estate);
                return estate.primary() > 0;
            });
            estate.smallWal().empty();
            estate.host(0).stopImmediately();
            startAgain(estate, 0, random);
        }
    },
    KILL_REDIS {
        @Override
        void strike(Estate estate, int host, Random random) throws Exception {
            estate.redis().kill();
            pause(random, 2000);
            estate.redis().start();
        }
    },
    /** It is there, and answers nobody. */
    FREEZE_REDIS {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.redis().freeze();
            pause(random, 3000);
            estate.redis().thaw();
        }
    },
    /** For one instance of several. */
    CUT_REDIS {
        @Override
        void strike(Estate estate, int host, Random random) {
            FaultyWire wire = estate.redisWire(random.nextInt(estate.layout().instances()));
            for (int i = 0; i < 5; i++) {
                wire.cut();
                pause(random, 300);
            }
            wire.refuse(true);
            wire.cut();
            pause(random, 2000);
        }
    },
    /** For one instance of several: what it says arrives late, and so does what it hears. */
    HOLD_REDIS {
        @Override
        void strike(Estate estate, int host, Random random) {
            estate.redisWire(random.nextInt(estate.layout().instances())).hold(true);
            pause(random, 3000);
        }
    };

    abstract void strike(Estate estate, int host, Random random) throws Exception;

    /** Whether it strikes a primary, wherever that is. */
    boolean isPrimarys() {
        return this == KILL_THE_PRIMARY || this == LOSE_THE_PRIMARY || this == FILL_WAL;
    }

    /** Whether no query may fail because of it. */
    boolean isRedis() {
        return this == KILL_REDIS || this == FREEZE_REDIS || this == CUT_REDIS || this == HOLD_REDIS;
    }

    /** Those that can be, and that what is promised there covers. */
    static List<Fault> of(Layout layout) {
        return Arrays.stream(values())
                .filter(fault -> layout.hasRedis() || !fault.isRedis())
                .filter(fault -> layout.promotes() || !fault.isPrimarys() && fault != SWITCHOVER)
                .filter(fault -> !layout.synchronous() || fault != LOSE_THE_PRIMARY)
                .filter(fault -> layout.smallWal() && layout.promotes() || fault != FILL_WAL)
                .toList();
    }

    private static void pause(Random random, int millis) {
        LockSupport.parkNanos(1_000_000L * (millis / 4 + random.nextInt(millis)));
    }

    /** As a person does who looks first which replica has received more, once none receives anything: senders outlive a kill. */
    private static void promoteIfFirst(Estate estate, int host, int primary) {
        for (int other = 0; other < estate.size(); other++) {
            int replica = other;
            await("nobody sends")
                    .until(() -> replica == primary
                            || estate.value(
                                            replica,
                                            "SELECT count(*) FROM pg_stat_wal_receiver WHERE status = 'streaming'")
                                    .equals("0"));
        }
        String received = "SELECT pg_last_wal_receive_lsn() - '0/0'";
        for (int other = 0; other < estate.size(); other++) {
            boolean more = other != host
                    && other != primary
                    && Long.parseLong(estate.value(other, received)) > Long.parseLong(estate.value(host, received));
            if (more) {
                return;
            }
        }
        estate.value(host, "SELECT pg_promote(false)");
    }

    /** So that it needs another file soon. */
    private static void switchWal(Estate estate) {
        try {
            estate.value(0, "SELECT pg_switch_wal() WHERE NOT pg_is_in_recovery()");
        } catch (RuntimeException | AssertionError e) {
            pause(new Random(), 100); // it has ended, or recovers
        }
    }

    private static void startAgain(Estate estate, int host, Random random) {
        pause(random, 1000);
        estate.host(host).start();
    }
}
