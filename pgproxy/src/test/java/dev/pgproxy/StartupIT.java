package dev.pgproxy;

import static dev.pgproxy.testing.Frontend.VERSION_3_0;
import static dev.pgproxy.testing.Frontend.VERSION_3_2;
import static dev.pgproxy.testing.Frontend.VERSION_3_99;
import static dev.pgproxy.testing.Transcript.Normalisation.SOURCE_PLACE;
import static dev.pgproxy.testing.Transcript.Normalisation.WORDS;
import static dev.pgproxy.testing.Transcript.assertSameFromStart;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.Transcript;
import dev.pgproxy.testing.TrustingTls;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** From the first byte to the first ReadyForQuery: versions, parameters, options, refusals. */
final class StartupIT {

    /** Logs in as the endpoint's user with further parameters. */
    private static List<Message> login(RawClient c, Transcript t, int version, String... more) {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("user", t.endpoint().user());
        parameters.put("database", t.endpoint().database());
        parameters.putAll(RawClient.parameters(more));
        return c.login(version, t.endpoint().password(), parameters);
    }

    private static void show(RawClient c, String... settings) {
        for (String setting : settings) {
            c.query("SHOW " + setting).readUntilReady();
        }
    }

    // ---- versions

    @Test
    void protocol30IsSpoken() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0);
            t.note("bytes of the key: " + c.keyData().secretKey().length);
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void protocol32IsSpoken() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_2);
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void aNewerMinorVersionIsNegotiatedDown() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_99);
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void theReservedVersion31IsAnsweredAsPostgresDoes() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            login(c, t, 3 << 16 | 1);
        });
    }

    @Test
    void unknownProtocolOptionsAreNamedAndIgnored() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "_pq_.unheard", "of", "_pq_.nor_this", "");
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void unknownProtocolOptionsAndANewerVersionAreNegotiatedTogether() {
        assertSameFromStart((c, t) -> login(c, t, VERSION_3_99, "_pq_.unheard", "of"));
    }

    @Test
    void otherMajorVersionsAreRefused() {
        for (int version : new int[] {1 << 16, 2 << 16, 4 << 16, 0}) {
            assertSameFromStart((c, t) -> {
                t.normalise(SOURCE_PLACE);
                c.startup(version, RawClient.parameters("user", "x"));
                c.readUntilClosed();
            });
        }
    }

    // ---- parameters

    @Test
    void settingsGivenAtStartupAreTheSessionsDefaults() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "application_name", "at start", "TimeZone", "Asia/Tokyo", "work_mem", "1MB");
            show(c, "application_name", "TimeZone", "work_mem");
            c.query("SET application_name = 'later'; SET work_mem = '2MB'; SET TimeZone = 'UTC'")
                    .readUntilReady();
            show(c, "application_name", "TimeZone", "work_mem");
        });
    }

    @Test
    void resetReturnsToWhatWasGivenAtStartupAndTellsIt() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "application_name", "at start", "TimeZone", "Asia/Tokyo", "work_mem", "1MB");
            String change = "SET work_mem = '2MB'; SET TimeZone = 'UTC'"; // one that is reported: several have no order
            for (String back : List.of("RESET TimeZone", "RESET ALL", "DISCARD ALL", "SET TimeZone TO DEFAULT")) {
                c.query(change).readUntilReady();
                c.query(back).readUntilReady();
                show(c, "application_name", "TimeZone", "work_mem");
                c.query(change).readUntilReady();
                c.parse("", back).bind("", "").execute("").sync().readUntilReady();
                show(c, "application_name", "TimeZone", "work_mem");
            }
            c.query("BEGIN; " + change).readUntilReady();
            c.query("RESET TimeZone").readUntilReady();
            show(c, "application_name", "TimeZone", "work_mem");
            c.query("RESET ALL").readUntilReady();
            c.query("ROLLBACK").readUntilReady();
            show(c, "application_name", "TimeZone", "work_mem");
            c.query("BEGIN; RESET ALL; SELECT 1/0").readUntilReady();
            c.query("ROLLBACK; SET application_name = 'later'").readUntilReady();
            c.query("RESET application_name").readUntilReady();
            show(c, "application_name", "TimeZone", "work_mem");
        });
    }

    @Test
    void optionsAreReadAsTheCommandLineWas() {
        assertSameFromStart((c, t) -> {
            login(
                    c,
                    t,
                    VERSION_3_0,
                    "options",
                    "-c search_path=pg_catalog\\ ,public -c statement_timeout=5s --work-mem=3MB -c my.tenant=seven");
            show(c, "search_path", "statement_timeout", "work_mem", "my.tenant");
            c.query("SET work_mem = '5MB'; SET my.tenant = 'eight'").readUntilReady();
            c.query("RESET work_mem; RESET my.tenant").readUntilReady();
            show(c, "work_mem", "my.tenant");
        });
    }

    @Test
    void badSettingsAtStartupAreRefused() {
        String[][] bad = {
            {"no_such_setting", "1"},
            {"work_mem", "much"},
            {"TimeZone", "Nowhere/At_all"},
            {"client_encoding", "nonsense"},
            {"server_version", "1"},
            {"options", "-c no_such_setting=1"},
            {"options", "-c work_mem"},
            {"options", "--nonsense"},
            {"options", "-Z"}
        };
        for (String[] each : bad) {
            assertSameFromStart((c, t) -> {
                t.note(each[0] + "=" + each[1]);
                t.normalise(WORDS);
                login(c, t, VERSION_3_0, each);
            });
        }
    }

    @Test
    void clientEncodingIsTakenAtStartup() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "client_encoding", "LATIN1");
            c.query("SELECT chr(228)").readUntilReady();
            c.query("SELECT chr(8364)").readUntilReady();
        });
    }

    @Test
    void longParametersArrive() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "my.long", "v".repeat(5000), "application_name", "a".repeat(63));
            c.query("SELECT length(current_setting('my.long'))").readUntilReady();
            show(c, "application_name");
        });
    }

    @Test
    void anApplicationNameThatIsTooLongIsCutWithANotice() {
        for (String name :
                List.of("a".repeat(64), "a".repeat(100), "a".repeat(62) + "\u00e9t\u00e9", "\u00e9".repeat(50))) {
            assertSameFromStart((c, t) -> {
                t.normalise(SOURCE_PLACE);
                login(c, t, VERSION_3_0, "application_name", name);
                show(c, "application_name");
            });
        }
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "client_min_messages", "warning", "application_name", "a".repeat(100));
            show(c, "application_name");
        });
    }

    // ---- refusals

    @Test
    void aRoleThatMayNotLogInIsToldSoIfItsPasswordIsRight() {
        for (String password : List.of("x", "wrong")) {
            assertSameFromStart((c, t) -> {
                t.normalise(SOURCE_PLACE);
                t.quietly("DROP ROLE IF EXISTS it_nologin");
                t.quietly("CREATE ROLE it_nologin NOLOGIN PASSWORD 'x'");
                c.login("it_nologin", password, t.endpoint().database());
                c.readUntilClosed();
                t.quietly("DROP ROLE it_nologin");
            });
        }
    }

    @Test
    void aWrongPasswordIsRefused() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            List<Message> answer = c.login(
                    t.endpoint().user(),
                    "wrong " + t.endpoint().password(),
                    t.endpoint().database());
            t.note(answer.getLast().field('C'));
            c.readUntilClosed();
        });
    }

    @Test
    void anUnknownUserIsRefused() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            c.login("no_such_user", "x", t.endpoint().database());
            c.readUntilClosed();
        });
    }

    @Test
    void anUnknownDatabaseIsRefused() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            c.login(t.endpoint().user(), t.endpoint().password(), "no_such_database");
            c.readUntilClosed();
        });
    }

    @Test
    void noUserIsRefused() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            c.startup(VERSION_3_0, Map.of()).readUntilClosed();
        });
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            c.startup(VERSION_3_0, RawClient.parameters("user", "", "database", "postgres"))
                    .readUntilClosed();
        });
    }

    @Test
    void theDatabaseIsNamedAfterTheUserIfNotGiven() {
        assertSameFromStart((c, t) -> {
            t.normalise(SOURCE_PLACE);
            t.quietly("DROP ROLE IF EXISTS it_lonely; CREATE ROLE it_lonely LOGIN PASSWORD 'x'");
            c.login(VERSION_3_0, "x", RawClient.parameters("user", "it_lonely"));
            c.readUntilClosed();
            t.quietly("DROP ROLE it_lonely");
        });
    }

    // ---- before the startup message

    @Test
    void gssEncryptionIsRefusedAndPlainGoesOn() {
        assertSameFromStart((c, t) -> {
            t.note("answer " + c.gssEncRequest());
            login(c, t, VERSION_3_0);
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void tlsOrItsRefusalGoesOn() {
        assertSameFromStart((c, t) -> {
            if (c.sslRequest() == 'S') {
                c.startTls(TrustingTls.context());
            }
            login(c, t, VERSION_3_0);
            c.query("SELECT 1").readUntilReady();
        });
    }

    @Test
    void gssThenTlsThenPlainIsTheLongestWayIn() {
        assertSameFromStart((c, t) -> {
            t.note("answer " + c.gssEncRequest());
            if (c.sslRequest() == 'S') {
                c.startTls(TrustingTls.context());
            }
            login(c, t, VERSION_3_2, "_pq_.unheard", "of");
        });
    }

    // ---- replication

    @Test
    void aReplicationConnectionAnswersItsCommandsAndSql() {
        assertSameFromStart((c, t) -> {
            login(c, t, VERSION_3_0, "replication", "database");
            t.expect("TDCZ", c.query("SHOW wal_level").readUntilReady());
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
            t.expect(
                    "EZ",
                    c.query("START_REPLICATION SLOT no_such_slot LOGICAL 0/0").readUntilReady());
            c.parse("", "SELECT 1").sync().readUntilReady();
        });
    }
}
