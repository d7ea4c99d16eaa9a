package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A notification carries the process id that its sender knows as its own, whoever listens where. */
final class NotifierIT {
    private static int sender(RawClient listener) {
        return ByteBuffer.wrap(listener.readUntil('A').getLast().body()).getInt();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "LISTEN it_sender",
                "SET client_encoding = LATIN1; LISTEN it_sender",
                "LISTEN it_sender; SELECT 1"
            })
    void inTransactionModeTheSenderIsKnownByItsText(String listen) {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 2\n");
        try (PgProxy proxy = under.proxy();
                RawClient listener = under.proxied().login()) {
            listener.query(listen).readUntilReady();
            for (int i = 0; i < 3; i++) {
                try (RawClient sender = under.proxied().login()) {
                    sender.query("NOTIFY it_sender").readUntilReady();
                    assertThat(sender(listener)).isEqualTo(sender.keyData().processId());
                }
            }
        }
    }

    @Test
    void whatComesWhileAProbeRunsIsHeard() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 2\nthreads = 2\n");
        try (PgProxy proxy = under.proxy();
                RawClient listener = under.proxied().login();
                RawClient sender = under.proxied().login()) {
            listener.query("CREATE FUNCTION it_probed() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'")
                    .readUntilReady();
            listener.query("LISTEN it_sender").readUntilReady();
            for (int i = 0; i < 100; i++) {
                listener.query("SELECT it_probed()");
                sender.query("NOTIFY it_sender").readUntilReady();
                if (listener.readUntilReady().stream().noneMatch(message -> message.type() == 'A')) {
                    listener.readUntil('A');
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"NOTIFY it_sender", "DO $$ BEGIN PERFORM pg_notify('it_sender', ''); END $$"})
    void inSessionModeTheSenderIsKnown(String notify) {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("pool_mode = session\ndefault_pool_size = 2\n");
        try (PgProxy proxy = under.proxy();
                RawClient listener = under.proxied().login()) {
            listener.query("LISTEN it_sender").readUntilReady();
            for (int i = 0; i < 3; i++) {
                try (RawClient sender = under.proxied().login()) {
                    sender.query(notify).readUntilReady();
                    assertThat(sender(listener)).isEqualTo(sender.keyData().processId());
                    sender.terminate();
                }
            }
            Message own = listener.query(notify).readUntil('A').getLast();
            assertThat(ByteBuffer.wrap(own.body()).getInt())
                    .isEqualTo(listener.keyData().processId());
        }
    }
}
