package dev.pgproxy.corpus;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.results.CacheReason;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** What the cache answers is byte for byte what the server says: every read of the corpus, every type in each format. */
final class CorpusCacheIT {
    /** The simple protocol, and the extended one with results as text and in binary. */
    private static List<Consumer<RawClient>> ways(String sql) {
        return List.of(c -> c.query(sql), c -> extended(c, sql, 0), c -> extended(c, sql, 1));
    }

    private static void extended(RawClient c, String sql, int format) {
        c.parse("", sql)
                .bind("", "", new int[0], List.of(), new int[] {format})
                .describePortal("")
                .execute("")
                .sync();
    }

    private static List<Message> answer(RawClient client, Consumer<RawClient> asks) {
        client.batch(asks);
        return client.readUntilReady();
    }

    @Test
    void everyReadOfTheCorpus() {
        List<String> problems = new ArrayList<>();
        long all;
        try (CachingProxy caching = CachingProxy.start("", Corpus.schema());
                RawClient c = caching.login();
                RawClient direct = caching.routed().direct().login()) {
            for (CorpusStatement statement : Corpus.statements()) {
                if (!statement.mayRunOnReplica()) {
                    continue;
                }
                for (RawClient each : List.of(c, direct)) {
                    each.query("SET search_path = " + statement.pathSetting()).readUntilReady();
                }
                for (Consumer<RawClient> way : ways(statement.sql())) {
                    answer(c, way);
                    long hits = caching.count(CacheReason.HIT);
                    List<Message> again = answer(c, way);
                    if (caching.count(CacheReason.HIT) > hits && !again.equals(answer(direct, way))) {
                        problems.add(statement.toString());
                    }
                }
            }
            all = caching.count(CacheReason.HIT);
        }
        assertThat(problems).isEmpty();
        assertThat(all).isGreaterThan(200);
    }

    /** One value of each, as PostgreSQL writes it. */
    private static final List<String> VALUES = List.of(
            "true::bool",
            "'\\x00ff'::bytea",
            "'c'::\"char\"",
            "'n'::name",
            "9223372036854775807::int8",
            "-32768::int2",
            "'1 2'::int2vector",
            "2147483647::int4",
            "'ä ''\"\\'::text",
            "4294967295::oid",
            "'(4294967295,65535)'::tid",
            "'4294967295'::xid",
            "'18446744073709551615'::xid8",
            "'1'::cid",
            "'1 2'::oidvector",
            "'{\"a\": [1, null]}'::json",
            "'{\"a\": [1, null]}'::jsonb",
            "'$.a[*]'::jsonpath",
            "'<a>b</a>'::xml",
            "'(1,2)'::point",
            "'[(1,2),(3,4)]'::lseg",
            "'((1,2),(3,4))'::path",
            "'(1,2),(3,4)'::box",
            "'((1,2),(3,4))'::polygon",
            "'{1,2,3}'::line",
            "'<(1,2),3>'::circle",
            "'NaN'::float4",
            "1e-300::float8",
            "'$1,234.56'::money",
            "'08:00:2b:01:02:03'::macaddr",
            "'08:00:2b:01:02:03:04:05'::macaddr8",
            "'::1/128'::inet",
            "'10.0.0.0/8'::cidr",
            "'a'::char(3)",
            "'a'::varchar(3)",
            "'2024-02-29'::date",
            "'23:59:59.999999'::time",
            "'infinity'::timestamp",
            "'2024-02-29 12:00+00'::timestamptz",
            "'1 year 2 mons 3 days 04:05:06.7'::interval",
            "B'101'::bit(3)",
            "B'101'::varbit",
            "'-123456789012345678901234567890.123'::numeric",
            "'NaN'::numeric",
            "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid",
            "'16/B374D848'::pg_lsn",
            "'a:1 b'::tsvector",
            "'a & !b'::tsquery",
            "'[1,5)'::int4range",
            "'[1,5)'::int8range",
            "'(1.5,)'::numrange",
            "'[2024-01-01,2024-02-01)'::daterange",
            "'empty'::tsrange",
            "'[2024-01-01 00:00+00,)'::tstzrange",
            "'{[1,2),[5,7)}'::int4multirange",
            "'{[2024-01-01,2024-02-01)}'::datemultirange",
            "'10:20:20'::txid_snapshot",
            "ARRAY[1, NULL, 3]",
            "ARRAY[ARRAY['a', 'b'], ARRAY['c', NULL]]",
            "ARRAY['2024-01-01'::date]",
            "ROW(1, 'a', NULL::text)",
            "NULL::text");

    /** JSqlParser does not take these for casts. */
    private static final Set<String> NOT_KEPT = Set.of("'((1,2),(3,4))'::path");

    @Test
    void everyTypeInEachFormat() {
        Set<String> servers = new TreeSet<>();
        try (CachingProxy caching = CachingProxy.start("", "CREATE TABLE one_row AS SELECT 1 AS one");
                RawClient c = caching.login();
                RawClient direct = caching.routed().direct().login()) {
            for (String value : VALUES) {
                String sql = "SELECT " + value + " AS v, one FROM one_row";
                caching.know(c, sql);
                for (Consumer<RawClient> way : ways(sql)) {
                    List<Message> wanted = answer(direct, way);
                    assertThat(answer(c, way)).as(value).isEqualTo(wanted);
                    long hits = caching.count(CacheReason.HIT);
                    assertThat(answer(c, way)).as(value + ", again").isEqualTo(wanted);
                    boolean failed = Message.types(wanted).contains("E"); // no binary form
                    if (!failed && caching.count(CacheReason.HIT) == hits) {
                        servers.add(value);
                    }
                }
            }
        }
        assertThat(servers).containsExactlyInAnyOrderElementsOf(NOT_KEPT);
    }
}
