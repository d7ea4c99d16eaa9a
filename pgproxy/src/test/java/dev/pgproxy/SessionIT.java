package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;

import dev.pgproxy.testing.RawClient;
import org.junit.jupiter.api.Test;

/** What a session keeps between its transactions: settings, roles, temporary tables, cursors, locks, sequences. */
final class SessionIT {

    private static void each(RawClient c, String... queries) {
        for (String sql : queries) {
            c.query(sql).readUntilReady();
        }
    }

    // ---- settings

    @Test
    void reportedSettingsAreReportedWhenTheyChange() {
        assertSame((c, t) -> each(
                c,
                "SET TimeZone = 'Asia/Tokyo'",
                "SET TimeZone = 'Asia/Tokyo'",
                "SET application_name = 'it'; SET DateStyle = 'German, DMY'; SET IntervalStyle = 'iso_8601'",
                "SET standard_conforming_strings = off",
                "SELECT 'a\\\\b', '2001-02-03'::date, interval '1 day', '2001-02-03 00:00+00'::timestamptz",
                "RESET standard_conforming_strings",
                "SHOW TimeZone",
                "SET TimeZone = 'Nowhere/At_all'",
                "RESET TimeZone",
                "RESET ALL",
                "SHOW application_name"));
    }

    @Test
    void dateStyleIsSetInParts() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            each(c, "SET datestyle TO german", "SET datestyle TO ymd", "BEGIN", "SET datestyle TO sql", "ROLLBACK");
            each(d, "SET datestyle TO postgres", "SELECT '2001-02-03'::date");
            each(c, "SHOW datestyle", "SELECT '01-02-03'::date");
            each(d, "SET datestyle TO dmy", "SELECT '01-02-03'::date");
            each(c, "SELECT '01-02-03'::date", "RESET datestyle", "SHOW datestyle");
            each(d, "SHOW datestyle");
        });
    }

    @Test
    void clientEncodingChangesWhatIsSent() {
        assertSame((c, t) -> each(
                c,
                "SET client_encoding = 'LATIN1'",
                "SELECT chr(228), length('x')",
                "SELECT chr(8364)",
                "SELECT chr(128024)",
                "SET NAMES 'UTF8'",
                "SELECT chr(8364)",
                "SET client_encoding = 'nonsense'",
                "SHOW client_encoding",
                "RESET client_encoding"));
    }

    @Test
    void settingsRollBackWithTheirTransaction() {
        assertSame((c, t) -> each(
                c,
                "BEGIN; SET application_name = 'inside'; SET work_mem = '1MB'",
                "SHOW application_name",
                "ROLLBACK",
                "SHOW application_name; SHOW work_mem",
                "BEGIN; SET application_name = 'kept'",
                "COMMIT",
                "SHOW application_name",
                "SET application_name = 'lost'; SELECT 1/0",
                "SHOW application_name"));
    }

    @Test
    void rollbackToASavepointBringsSettingsBack() {
        assertSame((c, t) -> each(
                c,
                "BEGIN; SET application_name = 'one'; SAVEPOINT s",
                "SET application_name = 'two'; SET LOCAL TimeZone = 'Asia/Tokyo'",
                "SHOW TimeZone",
                "ROLLBACK TO s",
                "SHOW application_name; SHOW TimeZone",
                "SAVEPOINT q; SET application_name = 'three'; RELEASE q",
                "COMMIT",
                "SHOW application_name"));
    }

    @Test
    void setLocalEndsWithTheTransaction() {
        assertSame((c, t) -> each(
                c,
                "SET LOCAL application_name = 'outside'",
                "SHOW application_name",
                "BEGIN; SET LOCAL application_name = 'inside'; SET LOCAL work_mem = '2MB'",
                "SHOW application_name",
                "COMMIT",
                "SHOW application_name; SHOW work_mem",
                "BEGIN; SET work_mem = '3MB'; SET LOCAL work_mem = '4MB'; SHOW work_mem; COMMIT",
                "SHOW work_mem",
                "SET LOCAL work_mem = '5MB'; SHOW work_mem",
                "SHOW work_mem"));
    }

    @Test
    void setConfigSetsAsSetDoes() {
        assertSame((c, t) -> {
            each(
                    c,
                    "SELECT set_config('application_name', 'by function', false)",
                    "SHOW application_name",
                    "BEGIN; SELECT set_config('work_mem', '6MB', true); SHOW work_mem; COMMIT; SHOW work_mem",
                    "SELECT set_config('work_mem', (3 + 4) || 'MB', false)",
                    "SELECT set_config(name, '8MB', false) FROM pg_settings WHERE name IN ('work_mem')",
                    "SHOW work_mem",
                    "SELECT set_config('no_such_setting', 'x', false)");
            c.batch(b -> b.parse("", "SELECT set_config($1, $2, $3)")
                    .bind("", "", "my.marker", "bound", "f")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
            each(c, "SHOW my.marker", "SELECT current_setting('my.marker'), current_setting('my.other', true)");
        });
    }

    @Test
    void settingsInsideExtendedQueriesAreReportedBeforeReady() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SET application_name = 'extended'")
                    .bind("", "")
                    .execute("")
                    .parse("", "SHOW application_name")
                    .bind("", "")
                    .execute("")
                    .sync());
            t.expect("12C12DCSZ", c.readUntilReady());
            c.batch(b -> b.parse("", "SET application_name = 'undone'")
                    .bind("", "")
                    .execute("")
                    .parse("", "SELEC")
                    .sync());
            c.readUntilReady();
            each(c, "SHOW application_name");
        });
    }

    @Test
    void customSettingsAndTheirAbsenceStayTheSessionsOwn() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            each(c, "SHOW it.tenant", "SET it.tenant = 'c'");
            each(d, "SHOW it.tenant", "SELECT current_setting('it.tenant', true) IS NULL", "SET it.tenant TO 'd'");
            each(c, "SELECT current_setting('it.tenant')", "RESET it.tenant", "SHOW it.tenant");
            each(d, "SHOW it.tenant", "DISCARD ALL", "SHOW it.tenant");
            each(t.another("e"), "SHOW it.tenant");
        });
    }

    @Test
    void settingsOfOneSessionAreNotThoseOfAnother() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            each(c, "SET application_name = 'c'; SET search_path = pg_catalog; SET statement_timeout = '5s'");
            each(d, "SHOW application_name; SHOW search_path; SHOW statement_timeout", "SET application_name = 'd'");
            each(c, "SHOW application_name; SHOW search_path; SHOW statement_timeout");
            each(d, "SHOW application_name; SHOW search_path; SHOW statement_timeout");
        });
    }

    @Test
    void everySpellingOfSetWorks() {
        assertSame((c, t) -> each(
                c,
                "SET SESSION work_mem TO DEFAULT; SET work_mem = 1024; SHOW work_mem",
                "SET TIME ZONE 'Europe/Paris'; SHOW TIME ZONE; SET TIME ZONE LOCAL; SET TIME ZONE 3; SHOW TIME ZONE",
                "SET search_path TO \"$user\", public, \"Odd Name\"; SHOW search_path; SET SCHEMA 'pg_catalog'; SHOW search_path",
                "SET datestyle TO iso, mdy; SET SEED TO 0.5; SET XML OPTION CONTENT",
                "/* note */ sEt /* more */ Work_Mem /**/ = '7MB' -- end",
                "SHOW work_mem",
                "SET work_mem FROM CURRENT",
                "SET no_such_setting = 1",
                "SET work_mem = 'much'",
                "SET server_version = '1'"));
    }

    @Test
    void discardAllMakesANewSession() {
        assertSame((c, t) -> each(
                c,
                "SET application_name = 'x'; SET work_mem = '1MB'; PREPARE p AS SELECT 1; LISTEN it_discard",
                "CREATE TEMP TABLE gone (a int); SELECT pg_advisory_lock(4711)",
                "DECLARE held CURSOR WITH HOLD FOR SELECT 1",
                "BEGIN; DISCARD ALL",
                "ROLLBACK",
                "DISCARD ALL",
                "SHOW application_name; SHOW work_mem",
                "EXECUTE p",
                "SELECT * FROM gone",
                "FETCH held",
                "SELECT pg_listening_channels()",
                "SELECT pg_advisory_unlock(4711)",
                "DISCARD TEMP; DISCARD SEQUENCES; DISCARD PLANS"));
    }

    @Test
    void discardAllDropsWhatLivesOnTheServer() {
        assertSame((c, t) -> {
            each(
                    c,
                    "CREATE TEMP TABLE discarded (a int)",
                    "BEGIN; DECLARE discarded_cursor CURSOR WITH HOLD FOR SELECT 1; COMMIT",
                    "SELECT pg_advisory_lock(77)",
                    "PREPARE discarded AS SELECT 1",
                    "DISCARD ALL",
                    "SELECT relname FROM pg_class WHERE relname = 'discarded'",
                    "SELECT name FROM pg_cursors",
                    "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77",
                    "EXECUTE discarded");
        });
    }

    @Test
    void resetAllKeepsEverythingButSettings() {
        assertSame((c, t) -> each(
                c,
                "SET application_name = 'x'; SET work_mem = '1MB'; PREPARE p AS SELECT 1; CREATE TEMP TABLE kept (a int)",
                "RESET ALL",
                "SHOW application_name; SHOW work_mem",
                "EXECUTE p; SELECT count(*) FROM kept"));
    }

    @Test
    void timeoutsStrike() {
        assertSame((c, t) -> {
            each(c, "SET statement_timeout = '50ms'", "SELECT pg_sleep(5)", "BEGIN; SELECT 1", "SELECT pg_sleep(5)");
            each(c, "ROLLBACK", "SET statement_timeout = 0", "SELECT pg_sleep(0.06)");
            RawClient d = t.another("d");
            each(c, "SELECT pg_advisory_lock(4712)");
            each(d, "SET lock_timeout = '20ms'", "SELECT pg_advisory_lock(4712)");
        });
    }

    @Test
    void anIdleTransactionTimesOut() {
        assertSame((c, t) -> {
            each(c, "SET idle_in_transaction_session_timeout = '50ms'", "BEGIN");
            t.expect("E!", c.readUntilClosed());
        });
    }

    // ---- roles

    @Test
    void rolesAreTheSessionsOwn() {
        assertSame((c, t) -> {
            t.quietly("DROP ROLE IF EXISTS it_role; CREATE ROLE it_role");
            String who = "SELECT current_user = session_user, current_user = 'it_role', session_user = 'it_role'";
            RawClient d = t.another("d");
            each(c, "SET ROLE it_role", who, "CREATE DATABASE not_allowed");
            each(d, who);
            each(c, "RESET ALL", who, "RESET ROLE", who, "SET ROLE no_such_role", "BEGIN; SET LOCAL ROLE it_role");
            each(
                    c,
                    who,
                    "COMMIT",
                    who,
                    "SET ROLE it_role; SET ROLE NONE",
                    who,
                    "BEGIN; SET ROLE it_role; ROLLBACK",
                    who);
            each(c, "SET SESSION AUTHORIZATION it_role", who, "SHOW is_superuser");
            each(d, who);
            each(c, "RESET SESSION AUTHORIZATION", who, "SET SESSION AUTHORIZATION it_role; DISCARD ALL");
            each(c, "DISCARD ALL", who, "RESET SESSION AUTHORIZATION");
            t.quietly("DROP ROLE it_role");
        });
    }

    // ---- what lives on a server

    @Test
    void temporaryTablesLiveAsLongAsTheSession() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            each(c, "CREATE TEMP TABLE mine (a text); INSERT INTO mine VALUES ('c')");
            each(d, "SELECT * FROM mine", "CREATE TEMP TABLE mine (a text)", "INSERT INTO mine VALUES ('d')");
            each(c, "SELECT * FROM mine", "SELECT * FROM pg_temp.mine");
            each(d, "SELECT * FROM mine", "DROP TABLE mine", "SELECT * FROM mine");
            each(c, "SELECT * FROM mine", "BEGIN; CREATE TEMP TABLE brief (a int) ON COMMIT DROP; SELECT * FROM brief");
            each(c, "COMMIT", "SELECT * FROM brief", "BEGIN; CREATE TEMP TABLE undone (a int); ROLLBACK");
            each(c, "SELECT * FROM undone", "CREATE TEMP VIEW seen AS SELECT a FROM mine; SELECT * FROM seen");
        });
    }

    @Test
    void aTemporaryTableHidesATableOfTheSameName() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS hidden; CREATE TABLE hidden AS SELECT 'permanent' AS v");
            RawClient d = t.another("d");
            each(
                    c,
                    "SELECT v FROM hidden",
                    "CREATE TEMP TABLE hidden AS SELECT 'temporary' AS v",
                    "SELECT v FROM hidden");
            each(d, "SELECT v FROM hidden");
            each(c, "SELECT v FROM public.hidden", "DROP TABLE hidden", "SELECT v FROM hidden");
            each(c, "SELECT 'into' AS v INTO TEMP hidden", "SELECT v FROM hidden");
            each(d, "SELECT v FROM hidden");
            t.quietly("DROP TABLE public.hidden");
        });
    }

    @Test
    void heldCursorsOutliveTheirTransaction() {
        assertSame((c, t) -> {
            each(c, "DECLARE k CURSOR FOR SELECT 1", "DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 5)");
            each(c, "FETCH 2 FROM held", "MOVE 1 FROM held", "SELECT name, is_holdable FROM pg_cursors");
            each(t.another("d"), "FETCH held");
            each(c, "FETCH ALL FROM held", "FETCH held", "CLOSE held", "FETCH held");
            each(c, "BEGIN; DECLARE k SCROLL CURSOR WITH HOLD FOR SELECT generate_series(1, 3); FETCH k", "COMMIT");
            each(c, "FETCH LAST FROM k; FETCH PRIOR FROM k", "CLOSE ALL", "FETCH k");
        });
    }

    @Test
    void advisoryLocksBelongToTheSession() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            each(c, "SELECT pg_advisory_lock(4713)", "SELECT pg_try_advisory_lock(4713)");
            each(d, "SELECT pg_try_advisory_lock(4713)", "SELECT pg_advisory_unlock(4713)");
            each(c, "SELECT pg_advisory_unlock(4713)");
            each(d, "SELECT pg_try_advisory_lock(4713)");
            each(c, "SELECT pg_advisory_unlock(4713)");
            each(d, "SELECT pg_try_advisory_lock(4713)", "SELECT pg_advisory_unlock_all()");
            each(c, "BEGIN; SELECT pg_advisory_xact_lock(4714)");
            each(d, "SELECT pg_try_advisory_lock(4714)");
            each(c, "COMMIT", "SELECT pg_catalog.pg_try_advisory_lock_shared(4, 714)");
            each(d, "SELECT pg_try_advisory_lock(4714)", "SELECT pg_try_advisory_lock(4, 714)");
        });
    }

    @Test
    void sequencesRememberTheSessionsOwnValueUntilItIsUsed() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS numbered; DROP SEQUENCE IF EXISTS numbers;"
                    + " CREATE SEQUENCE numbers; CREATE TABLE numbered (id serial, v text)");
            RawClient d = t.another("d");
            each(
                    c,
                    "SELECT currval('numbers')",
                    "SELECT lastval()",
                    "SELECT nextval('numbers')",
                    "SELECT currval('numbers')");
            each(d, "SELECT currval('numbers')", "SELECT nextval('numbers')", "SELECT lastval()");
            each(c, "INSERT INTO numbered (v) VALUES ('c')");
            each(d, "INSERT INTO numbered (v) VALUES ('d'); SELECT lastval()", "SELECT nextval('numbers')");
            each(c, "SELECT lastval()");
            each(d, "SELECT currval(pg_get_serial_sequence('numbered', 'id'))", "SELECT setval('numbers', 100)");
            each(d, "SELECT currval('numbers')");
            each(c, "PREPARE taken AS SELECT nextval('numbers')", "PREPARE seen AS SELECT lastval()");
            each(c, "EXECUTE taken");
            each(d, "SELECT nextval('numbers')", "DISCARD SEQUENCES", "SELECT lastval()");
            each(c, "EXECUTE seen");
            c.batch(b -> b.parse("next", "SELECT nextval('numbers')")
                    .bind("", "next")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
            each(d, "SELECT nextval('numbers')");
            c.batch(b -> b.parse("last", "SELECT lastval()")
                    .bind("", "last")
                    .execute("")
                    .sync());
            t.expect("12DCZ", c.readUntilReady());
            t.quietly("DROP TABLE numbered; DROP SEQUENCE numbers");
        });
    }

    @Test
    void aSequenceValueOfAnotherSessionIsNeverSeen() {
        assertSame((c, t) -> {
            t.quietly("DROP SEQUENCE IF EXISTS foreign_numbers; CREATE SEQUENCE foreign_numbers");
            RawClient d = t.another("d");
            each(c, "SET application_name = 'takes'", "SELECT nextval('foreign_numbers')");
            each(d, "SET application_name = 'looks'", "SELECT lastval()", "SELECT currval('foreign_numbers')");
            each(c, "SELECT nextval('foreign_numbers')");
            d.batch(b ->
                    b.parse("", "SELECT lastval()").bind("p", "").execute("p").sync());
            t.expect("12EZ", d.readUntilReady());
            t.quietly("DROP SEQUENCE foreign_numbers");
        });
    }

    @Test
    void functionsThatChangeSettingsDoSo() {
        assertSame((c, t) -> {
            t.quietly("CREATE OR REPLACE FUNCTION it_sets(v text) RETURNS void LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM set_config('application_name', v, false); SET work_mem = '9MB'; END $$;"
                    + " CREATE OR REPLACE FUNCTION it_scoped() RETURNS text LANGUAGE sql SET work_mem = '10MB' AS"
                    + " $$ SELECT current_setting('work_mem') $$");
            RawClient d = t.another("d");
            each(c, "SELECT it_sets('by function')", "SHOW application_name; SHOW work_mem");
            each(d, "SHOW application_name; SHOW work_mem");
            each(
                    c,
                    "SELECT it_scoped()",
                    "SHOW work_mem",
                    "DO $$ BEGIN SET work_mem = '11MB'; END $$",
                    "SHOW work_mem");
            each(d, "SHOW work_mem");
            t.quietly("DROP FUNCTION it_sets(text), it_scoped()");
        });
    }

    @Test
    void functionsThatSetCustomParametersDoSo() {
        assertSame((c, t) -> {
            t.quietly("CREATE FUNCTION it_tenant(v text) RETURNS text LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM set_config('it_f.tenant', v, false); RETURN 'set'; END $$;"
                    + " CREATE FUNCTION it_atomic() RETURNS text LANGUAGE sql"
                    + " BEGIN ATOMIC SELECT set_config('it_f.atomic', 'yes', false); END;"
                    + " CREATE PROCEDURE it_procedure() LANGUAGE plpgsql AS $$ BEGIN SET it_f.called = 'yes'; END $$;"
                    + " CREATE FUNCTION it_inner() RETURNS text LANGUAGE sql SET it_f.scoped = 'yes' AS"
                    + " $$ SELECT current_setting('it_f.scoped') $$");
            RawClient d = t.another("d");
            String all = "SELECT name, current_setting('it_f.' || name, true)"
                    + " FROM unnest('{tenant, atomic, called, done}'::text[]) AS name";
            each(c, "SELECT it_tenant('c')");
            each(d, all, "SELECT it_tenant('d')", all);
            each(c, all, "SET it_f.tenant = 'c2'", all, "SELECT it_tenant('c3')");
            each(d, all, "RESET it_f.tenant", all);
            each(t.another("e"), all);
            each(c, all, "SELECT it_atomic()");
            each(d, all, "CALL it_procedure()", all);
            each(c, all, "SELECT it_inner()");
            each(d, all, "DO $$ BEGIN EXECUTE 'SET it_f.done TO ''yes'''; END $$");
            each(c, all, "BEGIN; SELECT it_tenant('undone'); ROLLBACK", all);
            each(d, all, "DISCARD ALL", all);
            each(t.another("g"), all);
            t.quietly("DROP FUNCTION it_tenant(text), it_atomic(), it_inner(); DROP PROCEDURE it_procedure()");
        });
    }

    @Test
    void functionsThatChangeASettingOfTheSessionDoSo() {
        assertSame((c, t) -> {
            t.quietly("CREATE FUNCTION it_changes(v text) RETURNS void LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM set_config('work_mem', v, false); SET ROLE NONE; END $$");
            RawClient d = t.another("d");
            each(c, "SET work_mem = '3MB'", "SELECT it_changes('5MB')");
            each(d, "SHOW work_mem", "SET work_mem = '4MB'");
            each(c, "SHOW work_mem", "DO $$ BEGIN SET work_mem = '6MB'; END $$");
            each(d, "SHOW work_mem", "RESET work_mem", "SHOW work_mem");
            each(c, "SHOW work_mem", "RESET work_mem", "SHOW work_mem");
            t.quietly("DROP FUNCTION it_changes(text)");
        });
    }

    @Test
    void triggersThatChangeTheSessionDoSo() {
        assertSame((c, t) -> {
            t.quietly("CREATE TABLE it_audited (a int);"
                    + " CREATE FUNCTION it_remember() RETURNS void LANGUAGE sql AS"
                    + " $$ SELECT set_config('it_t.last', 'written', false) $$;"
                    + " CREATE FUNCTION it_audit() RETURNS trigger LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM it_remember(); SET work_mem = '7MB'; RETURN NEW; END $$;"
                    + " CREATE TRIGGER it_audit BEFORE INSERT ON it_audited FOR EACH ROW EXECUTE FUNCTION it_audit()");
            RawClient d = t.another("d");
            String seen = "SELECT current_setting('it_t.last', true), current_setting('work_mem')";
            each(c, "INSERT INTO it_audited VALUES (1)");
            each(d, seen, "UPDATE it_audited SET a = 2", seen);
            each(c, seen);
            t.quietly("DROP TABLE it_audited; DROP FUNCTION it_audit(), it_remember()");
        });
    }

    @Test
    void theSeedOfRandomIsTheSessionsOwn() {
        assertSame((c, t) -> each(c, "BEGIN; SELECT setseed(0.25); SELECT random() < 2; COMMIT"));
    }
}
