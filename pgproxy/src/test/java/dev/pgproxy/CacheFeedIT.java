package dev.pgproxy;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Writes that do not pass through the proxy reach its cache, and it is said where they do not. */
class CacheFeedIT {
    private final CachingProxy caching = CachingProxy.start(
            "change_feed = on\ncatalog_poll = 200ms\n",
            "CREATE TABLE t (id int PRIMARY KEY, v int)",
            "INSERT INTO t VALUES (1, 0)",
            "CREATE TABLE keyless (v int)",
            "INSERT INTO keyless VALUES (0)",
            "CREATE TABLE \"odd.na\"\"me: INSERT\" (v int)",
            "INSERT INTO \"odd.na\"\"me: INSERT\" VALUES (0)",
            "CREATE TABLE parted (id int, v int) PARTITION BY RANGE (id)",
            "CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (100)",
            "INSERT INTO parted VALUES (1, 0)",
            "CREATE TABLE gone AS SELECT 1 AS v",
            "CREATE VIEW shown AS SELECT v FROM t",
            "CREATE UNLOGGED TABLE fast (v int)",
            "INSERT INTO fast VALUES (0)",
            "CREATE MATERIALIZED VIEW kept AS SELECT v FROM t");

    @AfterEach
    void stop() {
        caching.close();
    }

    private RawClient login() {
        RawClient client = caching.login();
        await().until(() -> decoding().state() == FeedStatus.State.STREAMING);
        return client;
    }

    private FeedStatus decoding() {
        return Objects.requireNonNull(
                Objects.requireNonNull(caching.state().feed()).decoding());
    }

    private List<Message> console(String command) {
        Endpoint proxied = caching.routed().proxied();
        return new Endpoint(proxied.host(), proxied.port(), "pgproxy", "postgres", proxied.password()).run(command);
    }

    @Test
    void aWriteStraightToThePrimaryIsSeen() {
        Map<String, String> writes = Map.of(
                "SELECT sum(v) FROM t", "UPDATE t SET v = v + 1",
                "SELECT sum(v) FROM shown", "INSERT INTO t SELECT max(id) + 1, 7 FROM t",
                "SELECT count(*) FROM keyless", "DELETE FROM keyless",
                "SELECT sum(v) FROM \"odd.na\"\"me: INSERT\"", "UPDATE \"odd.na\"\"me: INSERT\" SET v = v + 1",
                "SELECT sum(v) FROM parted", "UPDATE parted SET v = v + 1",
                "SELECT count(*) FROM gone", "TRUNCATE gone");
        try (RawClient c = login()) {
            writes.forEach((read, write) -> {
                await().until(() -> caching.isHit(c, read));
                String before = value(c, read);
                caching.routed().direct().run(write);
                await().untilAsserted(() -> assertThat(value(c, read)).as(write).isNotEqualTo(before));
                await().until(() -> caching.isHit(c, read));
            });
        }
    }

    @Test
    void definitionsThatChangeElsewhereAreSeen() {
        try (RawClient c = login()) {
            String read = "SELECT * FROM shown";
            await().until(() -> caching.isHit(c, read));
            caching.routed().direct().run("CREATE OR REPLACE VIEW shown AS SELECT v + 1000 AS v FROM t");
            await().untilAsserted(() -> assertThat(value(c, read)).isEqualTo("1000"));
            String kept = "SELECT sum(v) FROM kept";
            await().until(() -> caching.isHit(c, kept));
            caching.routed().direct().run("UPDATE t SET v = 5");
            caching.routed().direct().run("REFRESH MATERIALIZED VIEW kept"); // a new file: a change of definitions
            await().untilAsserted(() -> assertThat(value(c, kept)).isEqualTo("5"));
        }
    }

    @Test
    void coverageIsShown() {
        try (RawClient c = login()) {
            value(c, "SELECT v FROM t");
            await().untilAsserted(() -> assertThat(levels())
                    .containsEntry("public.t", "logical")
                    .containsEntry("public.fast", "ttl")
                    .containsEntry("public.kept", "ttl"));
            assertThat(Message.rows(console("SHOW CACHE FEED")).getFirst()).contains("streaming");
            caching.routed()
                    .direct()
                    .run("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                            + " WHERE database = current_database() AND slot_name LIKE 'pgproxy%'");
            await().until(() -> decoding().losses() > 0);
            await().untilAsserted(() -> assertThat(levels()).containsEntry("public.t", "logical"));
        }
    }

    /** The level of each table. */
    private Map<String, String> levels() {
        return Message.rows(console("SHOW CACHE COVERAGE")).stream()
                .filter(row -> caching.routed().database().equals(row.getFirst()))
                .collect(Collectors.toMap(row -> String.valueOf(row.get(1)), row -> String.valueOf(row.get(2))));
    }
}
