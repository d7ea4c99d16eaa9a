package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Endpoint;
import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.ProxyUnderTest;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** A server that cannot be given the session's settings runs nothing of the session. */
final class AlignmentIT {
    private static final List<Consumer<RawClient>> WRITES = List.of(
            b -> b.query("INSERT INTO it_alignment VALUES (1)"),
            b -> b.parse("", "INSERT INTO it_alignment VALUES (1)")
                    .bind("", "")
                    .execute("")
                    .sync(),
            b -> b.query("BEGIN"));

    private static final List<Consumer<RawClient>> WAYS_OUT = List.of(
            b -> b.query("RESET ROLE"),
            b -> b.parse("", "SET ROLE NONE").bind("", "").execute("").sync(),
            b -> b.query("DISCARD ALL"));

    @Test
    void theClientHearsWhyAndNothingHasRun() {
        ProxyUnderTest.InThisJvm under = ProxyUnderTest.with("default_pool_size = 1");
        try (PgProxy proxy = under.proxy()) {
            Endpoint proxied = under.proxied();
            proxied.run("CREATE TABLE it_alignment (a int)");
            proxied.run("GRANT ALL ON it_alignment TO PUBLIC");
            for (int i = 0; i < WRITES.size(); i++) {
                Consumer<RawClient> write = WRITES.get(i);
                Consumer<RawClient> out = WAYS_OUT.get(i);
                String role = TestCluster.freshRole("secret");
                try (RawClient c = proxied.login();
                        RawClient d = proxied.login()) {
                    c.query("SET ROLE " + role).readUntilReady();
                    d.query("SELECT 1").readUntilReady();
                    d.query("DROP ROLE " + role).readUntilReady();
                    write.accept(c);
                    List<Message> answer = c.readUntilReady();
                    assertThat(Message.types(answer)).isEqualTo("EZ");
                    assertThat(answer.getFirst().field('C')).isEqualTo("22023");
                    assertThat(answer.getFirst().field('M')).isEqualTo("role \"" + role + "\" does not exist");
                    assertThat(Message.types(
                                    d.query("SELECT * FROM it_alignment").readUntilReady()))
                            .isEqualTo("TCZ");
                    out.accept(c);
                    c.readUntilReady();
                    assertThat(Message.types(
                                    c.query("SELECT * FROM it_alignment").readUntilReady()))
                            .isEqualTo("TCZ");
                }
            }
        }
    }
}
