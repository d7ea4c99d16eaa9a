package dev.pgproxy.cache.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.StringCodec;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class InstanceLinkTest {
    private static final String DB = "orders";
    private static final TableSet SEVEN = TableSet.of(7);
    private static final byte[] SECRET = "a secret of all instances".getBytes(StandardCharsets.UTF_8);

    private static TestRedis redis;

    private final String namespace = InstanceLink.randomId();
    private final List<AutoCloseable> opened = new ArrayList<>();

    @BeforeAll
    static void start() throws IOException {
        redis = new TestRedis();
    }

    @AfterAll
    static void stop() throws IOException {
        redis.close();
    }

    @AfterEach
    void close() throws Exception {
        for (int i = opened.size() - 1; i >= 0; i--) {
            opened.get(i).close();
        }
    }

    private static LinkSettings settings(Coherence coherence, Duration forgetAfter) {
        return new LinkSettings(coherence, Duration.ofMillis(300), Duration.ofMillis(300), forgetAfter);
    }

    /** An instance that writes down what it is told. */
    private final class Instance implements LinkListener {
        private final Queue<String> told = new ConcurrentLinkedQueue<>();
        private final DelayingProxy wire = new DelayingProxy(redis.port());
        private final InstanceLink link;

        Instance(Coherence coherence, Duration forgetAfter) throws IOException {
            this(settings(coherence, forgetAfter));
        }

        Instance(LinkSettings settings) throws IOException {
            RedisAccess access = new RedisAccess(wire.settings(namespace));
            link = new InstanceLink(access, SECRET, settings, this);
            opened.add(wire);
            opened.add(access);
            opened.add(link);
            link.start();
        }

        LinkStatus status() {
            return link.status().toCompletableFuture().join();
        }

        @Override
        public void doubted(String database, TableSet tables) {
            told.add("doubted " + database + " " + tables.text());
        }

        @Override
        public void settled(String database, TableSet tables, Ending ending) {
            told.add("settled " + database + " " + tables.text() + " " + ending);
        }

        @Override
        public void written(String database, TableSet tables, Ending ending) {
            told.add("written " + database + " " + tables.text() + " " + ending);
        }

        @Override
        public void flushed() {
            told.add("flushed");
        }

        @Override
        public void orphaned(String database, TableSet tables, int pid, long start, Runnable resolved) {
            told.add("orphaned " + database + " " + tables.text() + " " + pid + " " + start);
            resolved.run();
        }

        @Override
        public void lost(String instance, Runnable gone) {
            told.add("lost " + instance);
        }
    }

    /** One that soon counts as out of contact. */
    private Instance instance() throws IOException {
        return new Instance(Coherence.STRICT, Duration.ofMinutes(1));
    }

    /** One that a machine with a pause of its own does not lose. */
    private Instance patient(Coherence coherence) throws IOException {
        return new Instance(
                new LinkSettings(coherence, Duration.ofMillis(1500), Duration.ofSeconds(10), Duration.ofMinutes(1)));
    }

    private static void untilServing(Instance... instances) {
        for (Instance instance : instances) {
            await().until(instance.link::mayServe);
        }
    }

    @Test
    void anotherInstanceHearsOfAWriteBeforeItIsSentAndOfItsEnd() throws Exception {
        Instance one = patient(Coherence.STRICT);
        Instance other = patient(Coherence.STRICT);
        untilServing(one, other);
        other.told.clear();
        AtomicBoolean confirmed = new AtomicBoolean();
        long number = one.link.doubt(DB, TableSet.of(9, 7, 9), 4711, 99, () -> {
            assertThat(other.told).containsExactly("doubted orders 7,9");
            confirmed.set(true);
        });
        await().untilTrue(confirmed);
        assertThat(other.link.inDoubt(DB, SEVEN)).isTrue();
        assertThat(other.link.inDoubt("else", SEVEN)).isFalse();
        one.link.settle(number, Ending.WRITTEN);
        await().until(() -> other.told.size() == 2);
        assertThat(other.told).containsExactly("doubted orders 7,9", "settled orders 7,9 WRITTEN");
        other.told.clear();
        one.link.settle(one.link.doubt(DB, TableSet.ALL, 0, 0, () -> {}), Ending.NOTHING);
        one.link.announce(DB, SEVEN);
        await().until(() -> other.told.contains("written orders 7 WRITTEN"));
        assertThat(other.status().counters().confirmedByTime()).isZero();
        assertThat(one.status().counters().confirmedByAll()).isPositive();
    }

    @Test
    void allInstancesNameTheStateOfTablesAlikeAndAWriteGivesItANewName() throws Exception {
        Instance one = patient(Coherence.STRICT);
        Instance other = patient(Coherence.STRICT);
        untilServing(one, other);
        Epoch before = one.link.epoch(DB, SEVEN);
        Epoch all = one.link.epoch(DB, TableSet.ALL);
        assertThat(before).isNotNull().isEqualTo(other.link.epoch(DB, SEVEN));
        assertThat(one.link.epoch("else", SEVEN)).isNotEqualTo(before);
        Epoch eight = one.link.epoch(DB, TableSet.of(8));
        long number = one.link.doubt(DB, SEVEN, 0, 0, () -> {});
        assertThat(one.link.epoch(DB, SEVEN)).isNull();
        assertThat(one.link.epoch(DB, TableSet.ALL)).isNull();
        assertThat(one.link.epoch(DB, TableSet.of(8))).isEqualTo(eight);
        one.link.settle(number, Ending.WRITTEN);
        await().until(() -> one.link.epoch(DB, SEVEN) != null);
        Epoch after = Objects.requireNonNull(one.link.epoch(DB, SEVEN));
        assertThat(after).isNotEqualTo(before);
        await().until(() -> after.equals(other.link.epoch(DB, SEVEN)));
        assertThat(one.link.epoch(DB, TableSet.ALL)).isNotEqualTo(all).isEqualTo(other.link.epoch(DB, TableSet.ALL));
        Instance newcomer = patient(Coherence.STRICT);
        await().until(() -> after.equals(newcomer.link.epoch(DB, SEVEN)));
        assertThat(newcomer.link.epoch(DB, TableSet.ALL)).isEqualTo(one.link.epoch(DB, TableSet.ALL));
        one.link.settle(one.link.doubt(DB, TableSet.ALL, 0, 0, () -> {}), Ending.WRITTEN);
        await().until(() -> newcomer.link.epoch(DB, SEVEN) != null && !after.equals(newcomer.link.epoch(DB, SEVEN)));
    }

    @Test
    void aNameWithSlashAtItsEndStandsForAllThatBeginWithIt() throws Exception {
        Instance one = patient(Coherence.STRICT);
        Instance other = patient(Coherence.STRICT);
        untilServing(one, other);
        Epoch shop = other.link.epoch("7/shop", SEVEN);
        Epoch elsewhere = other.link.epoch("8/shop", SEVEN);
        AtomicBoolean confirmed = new AtomicBoolean();
        long number = one.link.doubt("7/", TableSet.ALL, 0, 0, () -> confirmed.set(true));
        await().untilTrue(confirmed);
        assertThat(other.told).contains("doubted 7/ *");
        assertThat(other.link.epoch("7/shop", SEVEN)).isNull();
        assertThat(other.link.inDoubt("7/new", SEVEN)).isTrue();
        assertThat(other.link.epoch("8/shop", SEVEN)).isEqualTo(elsewhere);
        one.link.settle(number, Ending.DEFINED);
        await().until(() -> other.told.contains("settled 7/ * DEFINED"));
        await().until(() -> other.link.epoch("7/shop", SEVEN) != null);
        assertThat(other.link.epoch("7/shop", SEVEN)).isNotEqualTo(shop);
        Instance newcomer = patient(Coherence.STRICT);
        await().until(() -> Objects.equals(other.link.epoch("7/shop", SEVEN), newcomer.link.epoch("7/shop", SEVEN)));
        one.link.announce("", TableSet.ALL);
        await().until(() -> other.told.contains("written  * WRITTEN"));
        assertThat(other.link.epoch("8/shop", SEVEN)).isNotEqualTo(elsewhere);
    }

    @Test
    void aRestartedRedisGivesEveryStateANewName() throws Exception {
        Instance one = instance();
        untilServing(one);
        Epoch before = one.link.epoch(DB, SEVEN);
        String generation = one.status().generation();
        redis.kill();
        await().until(() -> !one.link.mayServe());
        assertThat(one.link.epoch(DB, SEVEN)).isNull();
        redis.start();
        untilServing(one);
        assertThat(one.link.epoch(DB, SEVEN)).isNotNull().isNotEqualTo(before);
        assertThat(one.status().generation()).isNotEqualTo(generation);
        assertThat(one.told).contains("flushed");
    }

    @Test
    void whileOneIsCutOffNobodyServesAndItsWritersGoOnWithinTheBound() throws Exception {
        Instance one = instance();
        Instance other = instance();
        untilServing(one, other);
        one.wire.hold();
        AtomicBoolean confirmed = new AtomicBoolean();
        long begun = System.nanoTime();
        one.link.doubt(DB, SEVEN, 0, 0, () -> {
            assertThat(other.link.mayServe()).isFalse();
            confirmed.set(true);
        });
        await().untilTrue(confirmed);
        assertThat(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun)).isLessThan(300 + 450 + 5_000);
        assertThat(one.link.standing()).isEqualTo(Standing.APART);
        await().until(() -> other.told.contains("lost " + one.link.id()));
        assertThat(other.status().lost()).containsExactly(one.link.id());
        one.wire.release();
        untilServing(one, other);
        assertThat(other.link.inDoubt(DB, SEVEN)).isTrue(); // it was still open when it came back
        assertThat(one.link.standing()).isEqualTo(Standing.MEMBER);
    }

    @Test
    void nobodysWordIsEnoughAfterARestartThatAnotherHasNotNoticed() throws Exception {
        LinkSettings slow = new LinkSettings(
                Coherence.STRICT, Duration.ofMillis(900), Duration.ofMillis(300), Duration.ofMinutes(1));
        Instance one = new Instance(slow);
        Instance other = new Instance(slow);
        untilServing(one, other);
        other.wire.hold();
        redis.kill();
        redis.start();
        await().until(() -> one.told.contains("lost " + other.link.id()));
        Queue<Boolean> served = new ConcurrentLinkedQueue<>();
        one.link.doubt(DB, SEVEN, 0, 0, () -> served.add(other.link.mayServe()));
        await().until(() -> !served.isEmpty());
        assertThat(served).containsExactly(false);
    }

    @Test
    void aNewcomersWriteWaitsUntilOneThatCannotBeReachedServesNoMore() throws Exception {
        Instance one = instance();
        untilServing(one);
        one.wire.hold();
        Instance newcomer = instance();
        Queue<Boolean> served = new ConcurrentLinkedQueue<>();
        newcomer.link.doubt(DB, SEVEN, 0, 0, () -> served.add(one.link.mayServe()));
        await().until(() -> !served.isEmpty());
        assertThat(served).containsExactly(false);
    }

    @Test
    void oneThatStaysAwayIsForgottenAndKnowsIt() throws Exception {
        Instance one = new Instance(Coherence.STRICT, Duration.ofSeconds(1));
        Instance other = new Instance(Coherence.STRICT, Duration.ofSeconds(1));
        untilServing(one, other);
        long before = other.told.stream().filter("flushed"::equals).count();
        one.wire.cut(true);
        await().until(() -> !other.link.mayServe());
        untilServing(other);
        assertThat(one.link.standing()).isEqualTo(Standing.UNSEEN);
        assertThat(other.told.stream().filter("flushed"::equals)).hasSizeGreaterThan((int) before);
    }

    @Test
    void oneThatSaysGoodbyeIsNotMissedAndLeavesItsDoubts() throws Exception {
        Instance one = patient(Coherence.STRICT);
        Instance other = patient(Coherence.STRICT);
        untilServing(one, other);
        AtomicBoolean confirmed = new AtomicBoolean();
        one.link.doubt(DB, SEVEN, 4711, 99, () -> confirmed.set(true));
        await().untilTrue(confirmed);
        one.link.close();
        await().until(() -> other.told.contains("settled orders 7 WRITTEN"));
        assertThat(other.told).contains("orphaned orders 7 4711 99").doesNotContain("lost " + one.link.id());
        assertThat(other.status().lost()).isEmpty();
        untilServing(other);
    }

    @Test
    void pushConfirmsAtOnceAndTellsAllTheSame() throws Exception {
        Instance one = patient(Coherence.PUSH);
        Instance other = patient(Coherence.PUSH);
        untilServing(one, other);
        AtomicBoolean confirmed = new AtomicBoolean();
        long number = one.link.doubt(DB, SEVEN, 0, 0, () -> confirmed.set(true));
        assertThat(confirmed).isTrue();
        await().until(() -> other.told.contains("doubted orders 7"));
        one.link.settle(number, Ending.WRITTEN);
        await().until(() -> other.told.contains("settled orders 7 WRITTEN"));
    }

    @Test
    void anInstanceThatNeverReachedRedisWritesUnseenAndDoesNotServe() throws Exception {
        Instance one = instance();
        one.wire.cut(true);
        Instance other = instance();
        other.wire.cut(true);
        assertThat(one.link.standing()).isIn(Standing.UNSEEN, Standing.MEMBER);
        AtomicBoolean confirmed = new AtomicBoolean();
        await().until(() -> one.link.standing() != Standing.MEMBER);
        one.link.doubt(DB, SEVEN, 0, 0, () -> confirmed.set(true));
        await().untilTrue(confirmed);
        assertThat(one.link.mayServe()).isFalse();
        assertThat(one.link.epoch(DB, SEVEN)).isNull();
    }

    @Test
    void manyDoubtsAtOnceTravelTogether() throws Exception {
        Instance one = patient(Coherence.STRICT);
        Instance other = patient(Coherence.STRICT);
        untilServing(one, other);
        Queue<Integer> confirmed = new ConcurrentLinkedQueue<>();
        long before = other.status().counters().messages();
        for (int i = 0; i < 2000; i++) {
            int table = i;
            one.link.doubt(DB, TableSet.of(table), 0, 0, () -> confirmed.add(table));
        }
        await().until(() -> confirmed.size() == 2000);
        assertThat(other.status().foreignDoubts()).isEqualTo(2000);
        assertThat(other.status().counters().messages() - before).isLessThan(1000);
    }

    @Test
    void aRedisThatThrowsAwayPartOfItBeginsAnewGeneration() throws Exception {
        Instance one = new Instance(new LinkSettings(
                Coherence.STRICT, Duration.ofMillis(200), Duration.ofMillis(300), Duration.ofMinutes(1)));
        untilServing(one);
        try (RedisAccess access = new RedisAccess(redis.settings());
                StatefulRedisConnection<String, String> raw =
                        access.texts().toCompletableFuture().join()) {
            for (String part : List.of("members", "doubts", "epochs")) {
                String generation = one.status().generation();
                assertThat(raw.sync().del("{" + namespace + "}:1:" + part)).isEqualTo(1);
                await().until(() -> one.link.mayServe()
                        && !List.of("", generation).contains(one.status().generation()));
            }
        }
    }

    @Test
    void moreEpochsThanAreKeptRaiseAll() throws Exception {
        Queue<String> messages = new ConcurrentLinkedQueue<>();
        try (RedisAccess access = new RedisAccess(
                new RedisSettings(redis.settings().uri(), null, null, null, namespace, Duration.ofSeconds(2)))) {
            LinkSession session = LinkSession.open(access, "me", messages::add, () -> {})
                    .toCompletableFuture()
                    .join();
            List<String> join = List.of("g", "me", "1", "1", "0", "", session.channel(), "0", "0", "0");
            assertThat(session.run(LinkScript.JOIN, join).toCompletableFuture().join())
                    .startsWith("g");
            String four = new Settlement(new Doubt.Id("me", 1), Ending.WRITTEN, DB, TableSet.of(1, 2, 3, 4)).text();
            List<String> settle = List.of("g", "me", "1", "3", session.channel(), four);
            session.run(LinkScript.SETTLE, settle).toCompletableFuture().join();
            await().until(() -> messages.contains("E me 1"));
            JoinAnswer state = JoinAnswer.parse(
                    session.run(LinkScript.JOIN, join).toCompletableFuture().join());
            assertThat(state.epochs()).isEmpty();
            assertThat(state.base()).isEqualTo(1);
            session.close();
        }
    }

    @Test
    void thePrivilegesOfTheManualAreEnoughAndWithoutThemItSaysWhatIsMissing() throws Exception {
        String commands = "+hello +auth +ping +client +select +info +script|load +evalsha +publish +subscribe"
                + " +get +set +del +hget +hset +hsetnx +hdel +hexists +hgetall +hkeys +hvals +hlen +hincrby";
        try (RedisAccess access = new RedisAccess(redis.settings());
                StatefulRedisConnection<String, String> raw =
                        access.texts().toCompletableFuture().join()) {
            setUser(raw, "able", commands);
            setUser(raw, "unable", commands.replace("+info ", ""));
        }
        assertThat(statusAs("able", LinkStatus::connected).problem()).isEmpty();
        assertThat(statusAs("unable", status -> !status.problem().isEmpty()).problem())
                .contains("JOIN");
    }

    private void setUser(StatefulRedisConnection<String, String> raw, String user, String commands) {
        CommandArgs<String, String> arguments = new CommandArgs<>(StringCodec.UTF8)
                .add("SETUSER")
                .add(user)
                .add("on")
                .add(">hush")
                .add("~{" + namespace + "}:*")
                .add("~" + namespace + ":*")
                .add("resetchannels")
                .add("&{" + namespace + "}:*");
        for (String command : commands.split(" ", -1)) {
            arguments.add(command);
        }
        raw.sync().dispatch(CommandType.ACL, new StatusOutput<>(StringCodec.UTF8), arguments);
    }

    private LinkStatus statusAs(String user, Predicate<LinkStatus> until) throws Exception {
        RedisSettings settings =
                new RedisSettings(redis.settings().uri(), user, "hush", null, namespace, Duration.ofSeconds(2));
        Instance told = instance();
        try (RedisAccess access = new RedisAccess(settings);
                InstanceLink link =
                        new InstanceLink(access, SECRET, settings(Coherence.STRICT, Duration.ofMinutes(1)), told)) {
            link.start();
            await().until(() -> until.test(link.status().toCompletableFuture().join()));
            return link.status().toCompletableFuture().join();
        }
    }
}
