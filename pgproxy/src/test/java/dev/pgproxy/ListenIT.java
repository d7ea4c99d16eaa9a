package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.assertSame;

import dev.pgproxy.testing.RawClient;
import org.junit.jupiter.api.Test;

/** LISTEN, NOTIFY and UNLISTEN: who hears what, when, and in which order. */
final class ListenIT {
    private static final int QUIET_MILLIS = 100;

    @Test
    void aListenerHearsOthers() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            t.expect("CZ", c.query("LISTEN it_news").readUntilReady());
            t.expect("CZ", d.query("NOTIFY it_news").readUntilReady());
            t.expect("A", c.readUntil('A'));
            t.expect("CZ", d.query("NOTIFY it_news, 'with payload'").readUntilReady());
            t.expect("A", c.readUntil('A'));
            t.expect(
                    "TDCZ",
                    d.query("SELECT pg_notify('it_news', 'by function')").readUntilReady());
            t.expect("A", c.readUntil('A'));
            t.expect("", d.readAvailable(QUIET_MILLIS));
        });
    }

    @Test
    void itsOwnNotificationComesBeforeReady() {
        assertSame((c, t) -> {
            c.query("LISTEN it_self").readUntilReady();
            t.expect("CAZ", c.query("NOTIFY it_self, 'mine'").readUntilReady());
            c.query("BEGIN; NOTIFY it_self, 'in a transaction'; SELECT 1").readUntilReady();
            t.expect("CAZ", c.query("COMMIT").readUntilReady());
            c.batch(b -> b.parse("", "SELECT pg_notify('it_self', $1)")
                    .bind("", "", "extended")
                    .execute("")
                    .sync());
            t.expect("12DCAZ", c.readUntilReady());
            t.expect(
                    "CTDCAZ",
                    c.query("NOTIFY it_self, 'one of several'; SELECT 2").readUntilReady());
        });
    }

    @Test
    void notificationsOfATransactionComeAtCommitOnceEachInOrder() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.query("LISTEN it_order; LISTEN it_other").readUntilReady();
            d.query("BEGIN; NOTIFY it_order, 'b'; NOTIFY it_order, 'a'; NOTIFY it_other, 'x'; NOTIFY it_order, 'b'")
                    .readUntilReady();
            t.expect("", c.readAvailable(QUIET_MILLIS));
            d.query("COMMIT").readUntilReady();
            for (int i = 0; i < 3; i++) {
                t.expect("A", c.readUntil('A'));
            }
            t.expect("", c.readAvailable(QUIET_MILLIS));
        });
    }

    @Test
    void rolledBackNotificationsAndListensNeverHappened() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.query("LISTEN it_kept").readUntilReady();
            c.query("BEGIN; LISTEN it_lost; UNLISTEN it_kept; ROLLBACK").readUntilReady();
            d.query("BEGIN; NOTIFY it_kept, 'never'; ROLLBACK").readUntilReady();
            d.query("NOTIFY it_lost, 'unheard'; NOTIFY it_kept, 'heard'").readUntilReady();
            t.expect("A", c.readUntil('A'));
            t.expect("", c.readAvailable(QUIET_MILLIS));
            c.query("SELECT pg_listening_channels()").readUntilReady();
        });
    }

    @Test
    void savepointsTakeTheirNotificationsBack() {
        assertSame((c, t) -> {
            c.query("LISTEN it_save").readUntilReady();
            c.query(
                            "BEGIN; NOTIFY it_save, 'one'; SAVEPOINT s; NOTIFY it_save, 'two'; ROLLBACK TO s; NOTIFY it_save, 'three'")
                    .readUntilReady();
            t.expect("CAAZ", c.query("COMMIT").readUntilReady());
        });
    }

    @Test
    void aNotificationWaitsForTheEndOfTheListenersTransaction() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.query("LISTEN it_wait").readUntilReady();
            c.query("BEGIN").readUntilReady();
            d.query("NOTIFY it_wait, 'while you work'").readUntilReady();
            t.expect("", c.readAvailable(QUIET_MILLIS));
            t.expect("TDCZ", c.query("SELECT 1").readUntilReady());
            c.query("COMMIT");
            c.readUntil('A');
            c.readAvailable(QUIET_MILLIS);
        });
    }

    @Test
    void listenInATransactionStartsAtCommit() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.query("BEGIN; LISTEN it_late").readUntilReady();
            d.query("NOTIFY it_late, 'too early'").readUntilReady();
            c.query("COMMIT").readUntilReady();
            t.expect("", c.readAvailable(QUIET_MILLIS));
            d.query("NOTIFY it_late, 'in time'").readUntilReady();
            t.expect("A", c.readUntil('A'));
        });
    }

    @Test
    void unlistenStopsOneOrAll() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            c.query("LISTEN it_a; LISTEN it_b; LISTEN it_c; LISTEN it_a").readUntilReady();
            c.query("UNLISTEN it_a; UNLISTEN it_never").readUntilReady();
            d.query("NOTIFY it_a; NOTIFY it_b").readUntilReady();
            t.expect("A", c.readUntil('A'));
            t.expect("", c.readAvailable(QUIET_MILLIS));
            c.query("UNLISTEN *").readUntilReady();
            d.query("NOTIFY it_b; NOTIFY it_c").readUntilReady();
            t.expect("", c.readAvailable(QUIET_MILLIS));
            c.query("SELECT pg_listening_channels()").readUntilReady();
            c.query("LISTEN it_a; DISCARD PLANS").readUntilReady();
            c.query("DISCARD ALL").readUntilReady();
            d.query("NOTIFY it_a").readUntilReady();
            t.expect("", c.readAvailable(QUIET_MILLIS));
        });
    }

    @Test
    void severalListenersHearTheSame() {
        assertSame((c, t) -> {
            RawClient d = t.another("d");
            RawClient e = t.another("e");
            c.query("LISTEN it_all").readUntilReady();
            d.query("LISTEN it_all").readUntilReady();
            t.expect("CAZ", c.query("NOTIFY it_all, 'to everyone'").readUntilReady());
            t.expect("A", d.readUntil('A'));
            e.query("NOTIFY it_all, 'from outside'").readUntilReady();
            t.expect("A", c.readUntil('A'));
            t.expect("A", d.readUntil('A'));
            c.query("UNLISTEN *").readUntilReady();
            e.query("NOTIFY it_all, 'to one'").readUntilReady();
            t.expect("A", d.readUntil('A'));
            t.expect("", c.readAvailable(QUIET_MILLIS));
        });
    }

    @Test
    void channelNamesAndPayloadsAreTakenExactly() {
        assertSame((c, t) -> {
            c.query("LISTEN \"It Odd\"; LISTEN It_Folded; LISTEN \"grüße\"").readUntilReady();
            t.expect("CAZ", c.query("NOTIFY \"It Odd\", 'it''s; DROP TABLE'").readUntilReady());
            t.expect("CAZ", c.query("NOTIFY IT_FOLDED, ''").readUntilReady());
            t.expect("CAZ", c.query("NOTIFY \"grüße\", '🐘'").readUntilReady());
            t.expect("CZ", c.query("NOTIFY \"it odd\"").readUntilReady());
            t.expect(
                    "EZ",
                    c.query("NOTIFY it_folded, '" + "x".repeat(8000) + "'").readUntilReady());
            c.query("NOTIFY it_folded, '" + "x".repeat(7999) + "'").readUntilReady();
            c.query("SELECT pg_notify('', 'x')").readUntilReady();
            c.query("SELECT pg_notify(repeat('n', 64), 'x')").readUntilReady();
        });
    }

    @Test
    void listenWorksInExtendedQueriesAndPipelines() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "LISTEN it_ext")
                    .bind("", "")
                    .describePortal("")
                    .execute("")
                    .sync());
            t.expect("12nCZ", c.readUntilReady());
            c.batch(b ->
                    b.query("NOTIFY it_ext, '1'").query("NOTIFY it_ext, '2'").query("SELECT 3"));
            t.expect("CAZCAZTDCZ", c.readUntilReady(3));
        });
    }

    @Test
    void aNotificationFromATrigger() {
        assertSame((c, t) -> {
            t.quietly("DROP TABLE IF EXISTS told; CREATE TABLE told (a int);"
                    + " CREATE OR REPLACE FUNCTION it_tell() RETURNS trigger LANGUAGE plpgsql AS"
                    + " $$ BEGIN PERFORM pg_notify('it_told', NEW.a::text); RETURN NEW; END $$;"
                    + " CREATE TRIGGER tell AFTER INSERT ON told FOR EACH ROW EXECUTE FUNCTION it_tell()");
            c.query("LISTEN it_told").readUntilReady();
            t.expect("CAAZ", c.query("INSERT INTO told VALUES (1), (2)").readUntilReady());
            t.another("d").query("INSERT INTO told VALUES (3)").readUntilReady();
            t.expect("A", c.readUntil('A'));
            t.quietly("DROP TABLE told; DROP FUNCTION it_tell()");
        });
    }

    @Test
    void listenAndPrepareTransactionDoNotMix() {
        assertSame((c, t) -> {
            c.query("BEGIN; NOTIFY it_two, 'x'").readUntilReady();
            t.expect("EZ", c.query("PREPARE TRANSACTION 'it-notify'").readUntilReady());
            c.query("BEGIN; SELECT 1/0").readUntilReady();
            t.expect("EZ", c.query("LISTEN it_two").readUntilReady());
            c.query("ROLLBACK; SELECT pg_listening_channels()").readUntilReady();
        });
    }
}
