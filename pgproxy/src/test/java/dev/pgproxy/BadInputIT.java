package dev.pgproxy;

import static dev.pgproxy.testing.Transcript.Normalisation.LAST_WORDS;
import static dev.pgproxy.testing.Transcript.Normalisation.WORDS;
import static dev.pgproxy.testing.Transcript.assertSame;
import static dev.pgproxy.testing.Transcript.assertSameFromStart;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Frontend;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Messages no client should send: the connection ends or goes on exactly where PostgreSQL's would. */
final class BadInputIT {

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static void alive(RawClient c) {
        assertThat(Message.types(c.query("SELECT 'alive'").readUntilReady())).isEqualTo("TDCZ");
    }

    @Test
    void unknownMessageTypesEndTheConnection() {
        for (char type : new char[] {'y', 'Z', 'T', '\0', (char) 0xff, 'p', 'G'}) {
            assertSame((c, t) -> {
                t.normalise(WORDS);
                t.note("type " + (int) type);
                c.send("unknown type", Frontend.message(type, bytes(0)));
                c.readUntilClosed();
            });
        }
    }

    @Test
    void lengthsBelowFourEndTheConnection() {
        for (int length : new int[] {0, 1, 3, -1, Integer.MIN_VALUE}) {
            assertSame((c, t) -> {
                t.normalise(LAST_WORDS);
                t.note("length " + length);
                c.send("short length", Frontend.lying('Q', length, new byte[0]));
                c.readUntilClosed();
            });
        }
    }

    @Test
    void lengthsBeyondTheLimitOfTheirMessageEndTheConnection() {
        for (char type : new char[] {'S', 'H', 'D', 'E', 'C', 'X', 'c'}) {
            assertSame((c, t) -> {
                t.normalise(LAST_WORDS);
                t.note("type " + type);
                c.send("long length", Frontend.lying(type, 0x7fff_ffff, new byte[0]));
                c.readUntilClosed();
            });
        }
        assertSame((c, t) -> {
            t.normalise(LAST_WORDS);
            c.send("a query of 2 GB", Frontend.lying('Q', 0x7fff_ffff, new byte[0]));
            c.readUntilClosed();
        });
    }

    @Test
    void aSyncWithABodyIsAnError() {
        assertSame((c, t) -> {
            t.normalise(WORDS);
            c.send("Sync with a body", Frontend.message('S', bytes(1, 2, 3)));
            // Sync is no extended-query message to PostgreSQL: nothing is skipped, and both are answered
            t.expect("EZZ", c.sync().readUntilReady(2));
            alive(c);
        });
    }

    @Test
    void aQueryWithoutItsEndOrWithMoreIsAnError() {
        assertSame((c, t) -> {
            t.normalise(WORDS);
            c.send("no zero", Frontend.message('Q', "SELECT 1".getBytes(UTF_8)));
            c.readUntilReady();
            c.send("two texts", Frontend.message('Q', "SELECT 1\0SELECT 2\0".getBytes(UTF_8)));
            c.readUntilReady();
            c.send("empty body", Frontend.message('Q', new byte[0]));
            c.readUntilReady();
            alive(c);
        });
    }

    @Test
    void malformedExtendedMessagesSkipToSync() {
        assertSame((c, t) -> {
            t.normalise(WORDS);
            byte[][] bodies = {
                new byte[0],
                "unended".getBytes(UTF_8),
                "\0SELECT 1".getBytes(UTF_8),
                "\0SELECT 1\0".getBytes(UTF_8),
                bytes(0, 'x', 0, 0xff, 0xff),
                bytes(0, 'x', 0, 0, 1),
                bytes(0, 0, 0, 0, 0, 0, 0, 0, 9, 9)
            };
            for (char type : new char[] {'P', 'B', 'D', 'E', 'C', 'H'}) {
                for (byte[] body : bodies) {
                    c.send("malformed " + type + " of " + body.length, Frontend.message(type, body));
                    c.sync().readUntilReady();
                }
            }
            alive(c);
        });
    }

    @Test
    void aDescribeOrCloseOfNeitherStatementNorPortalIsAnError() {
        assertSame((c, t) -> {
            t.normalise(WORDS);
            c.send("Describe X", Frontend.message('D', bytes('X', 0))).sync().readUntilReady();
            c.send("Close X", Frontend.message('C', bytes('X', 0))).sync().readUntilReady();
            alive(c);
        });
    }

    @Test
    void aBindThatLiesAboutItsValuesIsAnError() {
        assertSame((c, t) -> {
            t.normalise(WORDS);
            c.parse("s", "SELECT $1::text").sync().readUntilReady();
            int[] lengths = {100, -2, Integer.MIN_VALUE, Integer.MAX_VALUE};
            for (int length : lengths) {
                byte[] body = ByteBuffer.allocate(20)
                        .put(bytes(0, 's', 0))
                        .putShort((short) 0)
                        .putShort((short) 1)
                        .putInt(length)
                        .put("abc".getBytes(UTF_8))
                        .putShort((short) 0)
                        .array();
                c.send("value length " + length, Frontend.message('B', body));
                c.execute("").sync().readUntilReady();
            }
            alive(c);
        });
    }

    @Test
    void aNegativeRowLimitMeansAll() {
        assertSame((c, t) -> {
            c.batch(b -> b.parse("", "SELECT generate_series(1, 3)")
                    .bind("", "")
                    .execute("", -5)
                    .sync());
            t.expect("12DDDCZ", c.readUntilReady());
        });
    }

    @Test
    void invalidTextForTheEncodingIsAnError() {
        assertSame((c, t) -> {
            c.send(
                    "invalid UTF-8",
                    Frontend.message('Q', bytes('S', 'E', 'L', 'E', 'C', 'T', ' ', '\'', 0xc3, 0x28, '\'', 0)));
            c.readUntilReady();
            c.batch(b -> b.parse("", "SELECT $1::text")
                    .bind("", "", new int[0], List.of(bytes(0xff, 0xfe)), new int[0])
                    .execute("")
                    .sync());
            c.readUntilReady();
            c.batch(b -> b.parse("", "SELECT $1::text")
                    .bind("", "", new int[0], List.of(bytes('a', 0, 'b')), new int[0])
                    .execute("")
                    .sync());
            c.readUntilReady();
            alive(c);
        });
    }

    @Test
    void namesOfAnyLengthAreCarried() {
        assertSame((c, t) -> {
            String name = "long_name_".repeat(50);
            c.batch(b -> b.parse(name, "SELECT 1")
                    .bind(name, name)
                    .execute(name)
                    .closeStatement(name)
                    .sync());
            t.expect("12DC3Z", c.readUntilReady());
            c.parse("grüße ; 'x' \"y\"", "SELECT 2")
                    .bind("", "grüße ; 'x' \"y\"")
                    .execute("")
                    .sync();
            t.expect("12DCZ", c.readUntilReady());
            c.query("PREPARE " + name + " AS SELECT 3").readUntilReady();
            c.query("EXECUTE " + name).readUntilReady();
            c.bind("", name).execute("").sync().readUntilReady();
            c.bind("", name.substring(0, 63)).execute("").sync().readUntilReady();
        });
    }

    @Test
    void aMessageCutIntoSingleBytesIsOneMessage() {
        assertSame((c, t) -> {
            for (byte each : Frontend.query("SELECT 'byte by byte'")) {
                c.raw(each);
            }
            t.expect("TDCZ", c.readUntilReady());
        });
    }

    @Test
    void aClientThatDiesInTheMiddleOfAMessageHarmsNobody() {
        assertSame((c, t) -> {
            byte[] query = Frontend.query("SELECT 'never complete'");
            for (int cut = 1; cut < query.length; cut += 5) {
                RawClient d = t.another("d");
                d.send("cut at " + cut, Arrays.copyOf(query, cut)).close();
            }
            alive(c);
        });
    }

    @Test
    void startupPacketsOfImpossibleLengthEndTheConnection() {
        for (int length : new int[] {0, 3, 4, 7, -1, 10_005, 0x7fff_ffff}) {
            assertSameFromStart((c, t) -> {
                t.normalise(LAST_WORDS);
                t.note("length " + length);
                c.raw(ByteBuffer.allocate(12)
                        .putInt(length)
                        .putInt(3 << 16)
                        .putInt(0)
                        .array());
                c.readUntilClosed();
            });
        }
    }

    @Test
    void startupPacketsWithoutOrderEndTheConnection() {
        byte[][] bodies = {
            "user".getBytes(UTF_8),
            "user\0x".getBytes(UTF_8),
            "user\0x\0".getBytes(UTF_8),
            "user\0x\0\0more".getBytes(UTF_8)
        };
        for (byte[] body : bodies) {
            assertSameFromStart((c, t) -> {
                t.normalise(WORDS);
                t.note("parameters of " + body.length);
                c.raw(ByteBuffer.allocate(8 + body.length)
                        .putInt(8 + body.length)
                        .putInt(3 << 16)
                        .put(body)
                        .array());
                c.readUntilClosed();
            });
        }
    }

    @Test
    void anythingButAPasswordDuringAuthenticationEndsTheConnection() {
        assertSameFromStart((c, t) -> {
            t.normalise(WORDS);
            c.startup(
                    Frontend.VERSION_3_0,
                    RawClient.parameters("user", t.endpoint().user()));
            c.readUntil('R');
            c.query("SELECT 1").readUntilClosed();
        });
    }

    @Test
    void httpIsNotPostgres() {
        assertSameFromStart((c, t) -> {
            t.normalise(LAST_WORDS);
            c.raw("GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8)).readUntilClosed();
        });
    }
}
