package dev.pgproxy.limit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.config.ConfigLoader;
import dev.pgproxy.config.ConfigProblems;
import dev.pgproxy.config.ProxyConfig;
import dev.pgproxy.protocol.backend.ErrorFields;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Limits of users, databases and all clients together, on a virtual clock. */
final class RateLimitsTest {
    private static final long SECOND = 1_000_000_000L;

    private long now;

    private static ProxyConfig config(String settings) {
        try {
            return ConfigLoader.parse("databases { \"*\" { primary = db } }\n" + settings);
        } catch (ConfigProblems e) {
            throw new AssertionError(e);
        }
    }

    private RateLimits limits(String settings) {
        return new RateLimits(config(settings), () -> now, null);
    }

    private static @Nullable ErrorFields start(RateLimits limits, String database, String user, int count) {
        RateLimits.Start start = limits.start(database, user, count, null);
        assertThat(start.waits()).isFalse();
        return start.refusal();
    }

    private static void assertStarts(RateLimits limits, String database, String user, int times) {
        for (int i = 0; i < times; i++) {
            assertThat(start(limits, database, user, 1)).isNull();
        }
    }

    private static ErrorFields refusal(RateLimits limits, String database, String user) {
        return Objects.requireNonNull(start(limits, database, user, 1), "not refused");
    }

    @Test
    void withoutALimitNobodyIsConcerned() {
        assertThat(limits("").concern("ann")).isFalse();
        assertThat(RateLimits.NONE.concern("ann")).isFalse();
        assertThat(limits("user_rate_limit = 1/s").concern("ann")).isTrue();
        assertThat(limits("databases { a { primary = db, db_rate_limit = 1/s } }")
                        .concern("ann"))
                .isTrue();
        assertThat(limits("users { ann { user_rate_limit = 0 } }").concern("ann"))
                .isFalse();
    }

    @Test
    void eachUserHasHisOwnAndTheErrorSaysWhoseItIsAndWhenToComeAgain() {
        RateLimits limits = limits("user_rate_limit = 2/min, users { bob { user_rate_limit = 1/s } }");
        assertStarts(limits, "a", "ann", 2);
        now = 20 * SECOND + 1;
        ErrorFields refused = refusal(limits, "b", "ann");
        assertThat(refused.code()).isEqualTo("53400");
        assertThat(refused.message()).isEqualTo("rate limit of user \"ann\" is reached: 2/min");
        assertThat(refused.hint()).isEqualTo("Try again in 40 seconds.");
        assertStarts(limits, "a", "bob", 1);
        assertThat(refusal(limits, "a", "bob").hint()).isEqualTo("Try again in 1 second.");
        now = 60 * SECOND;
        assertStarts(limits, "a", "ann", 2);
    }

    @Test
    void whatOneLimitRefusesCountsInNone() {
        RateLimits limits = limits("rate_limit = 3/min, db_rate_limit = 2/min, user_rate_limit = 1/min");
        assertStarts(limits, "a", "ann", 1);
        for (int i = 0; i < 10; i++) {
            assertThat(refusal(limits, "a", "ann").message()).contains("user \"ann\"");
        }
        assertStarts(limits, "a", "bob", 1);
        assertThat(refusal(limits, "a", "cid").message()).contains("database \"a\"");
        assertStarts(limits, "b", "cid", 1);
        assertThat(refusal(limits, "c", "dan").message()).isEqualTo("rate limit of all clients is reached: 3/min");
        assertThat(limits.show())
                .extracting(row ->
                        row.scope() + " " + row.name() + " " + row.used() + " " + row.started() + " " + row.refused())
                .startsWith("all null 3 3 1", "database a 2 2 1", "database b 1 1 0")
                .contains("user ann 1 1 10", "user cid 1 1 0");
    }

    @Test
    void theLongestWaitIsTold() {
        RateLimits limits = limits("rate_limit = 1/h, user_rate_limit = 1/min");
        assertStarts(limits, "a", "ann", 1);
        assertThat(refusal(limits, "a", "ann").hint()).isEqualTo("Try again in 3600 seconds.");
    }

    @Test
    void moreAtOnceThanTheLimitIsNeverLetThrough() {
        RateLimits limits = limits("user_rate_limit = 2/min");
        ErrorFields refused = Objects.requireNonNull(start(limits, "a", "ann", 3));
        assertThat(refused.hint()).isEqualTo("It would start 3 transactions at once: send them one by one.");
        assertThat(start(limits, "a", "ann", 2)).isNull();
    }

    @Test
    void exemptUsersAreNeitherLimitedNorCounted() {
        RateLimits limits = limits("rate_limit = 1/min, rate_limit_exempt = [ann, \"the boss\"]");
        assertThat(limits.concern("ann")).isFalse();
        assertThat(limits.concern("the boss")).isFalse();
        assertThat(limits.concern("bob")).isTrue();
    }

    @Test
    void reloadKeepsWhatHasStarted() {
        RateLimits limits = limits("user_rate_limit = 2/min");
        assertStarts(limits, "a", "ann", 2);
        limits.reload(config("user_rate_limit = 5/min"));
        assertStarts(limits, "a", "ann", 3);
        assertThat(start(limits, "a", "ann", 1)).isNotNull();
        limits.reload(config(""));
        assertThat(limits.concern("ann")).isFalse();
        assertThat(start(limits, "a", "ann", 1)).isNull();
        assertThat(limits.show()).isEmpty();
    }

    @Test
    void usersWhoAreIdleForLongerThanTheirWindowAreForgotten() {
        RateLimits limits = limits("user_rate_limit = 10/min");
        for (int i = 0; i < 100_000; i++) {
            assertStarts(limits, "a", "user" + i, 1);
            now += SECOND / 10; // 600 within a window
        }
        assertThat(limits.users()).isLessThan(2000);
        assertThat(limits.show()).hasSizeBetween(595, 605);
    }

    @Test
    void manyThreadsTogetherAreLetThroughAsOftenAsTheLimitSays() throws InterruptedException {
        RateLimits limits =
                new RateLimits(config("rate_limit = 3000/h, user_rate_limit = 1000/h"), System::nanoTime, null);
        AtomicInteger through = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String user = "user" + i % 4;
            threads.add(Thread.ofPlatform().start(() -> {
                for (int n = 0; n < 2000; n++) {
                    if (start(limits, "a", user, 1) == null) {
                        through.incrementAndGet();
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(through).hasValue(3000);
        assertThat(limits.show())
                .allSatisfy(row ->
                        assertThat(row.used()).isLessThanOrEqualTo(row.limit().transactions()));
    }
}
