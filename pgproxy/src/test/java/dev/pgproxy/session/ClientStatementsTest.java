package dev.pgproxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.sql.QueryFacts;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Against a HashMap; {@code -Dstatements.seed=} repeats a run. */
final class ClientStatementsTest {
    private static final long SEED = Long.getLong("statements.seed", System.nanoTime());

    private final ClientStatements statements = new ClientStatements();

    private static SharedStatement statement(String name) {
        return SharedStatement.own(name, new byte[3], QueryFacts.EMPTY);
    }

    private static ByteBuf bytes(String name) {
        return Unpooled.copiedBuffer("before" + name, UTF_8);
    }

    private @Nullable SharedStatement findByBytes(String name) {
        ByteBuf buf = bytes(name);
        ClientStatements.Entry entry = statements.find(buf, 6, buf.writerIndex() - 6);
        return entry == null ? null : entry.statement();
    }

    @Test
    void theTableBehavesAsAMap() {
        Random random = new Random(SEED);
        Map<String, SharedStatement> model = new HashMap<>();
        for (int step = 0; step < 50_000; step++) {
            // "Aa" and "BB" have the same hash
            String name = (random.nextBoolean() ? "Aa" : "BB")
                    + (random.nextBoolean() ? "Aa" : "BB")
                    + random.nextInt(random.nextInt(10) == 0 ? 500 : 20);
            switch (random.nextInt(5)) {
                case 0, 1 -> {
                    SharedStatement made = statement("server_" + step);
                    statements.put(name, made);
                    model.put(name, made);
                }
                case 2 -> {
                    statements.remove(name);
                    model.remove(name);
                }
                case 3 -> {
                    if (random.nextInt(2_000) == 0) {
                        statements.clear();
                        model.clear();
                    }
                }
                default -> {
                    ClientStatements.Entry entry =
                            statements.find(Unpooled.copiedBuffer(name, UTF_8), 0, name.length());
                    assertThat(entry == null ? null : entry.name()).isEqualTo(model.containsKey(name) ? name : null);
                }
            }
            assertThat(statements.find(name))
                    .as("-Dstatements.seed=%s, step %s", SEED, step)
                    .isSameAs(model.get(name));
            assertThat(findByBytes(name)).isSameAs(model.get(name));
            assertThat(statements.size()).isEqualTo(model.size());
        }
        assertThat(statements.names()).containsExactlyInAnyOrderElementsOf(model.keySet());
    }

    @Test
    void longNamesAreCutAsPostgresCutsThem() {
        String longName = "n".repeat(63);
        SharedStatement made = statement("s");
        statements.put(longName + "one", made);
        assertThat(statements.find(longName)).isSameAs(made);
        assertThat(statements.find(longName + "two")).isSameAs(made);
        assertThat(findByBytes(longName + "three")).isSameAs(made);
        assertThat(findByBytes("n".repeat(62))).isNull();
        statements.remove(longName + "four");
        assertThat(statements.size()).isZero();
    }

    @Test
    void aNameOutsideAsciiIsFoundByItsBytes() {
        SharedStatement made = statement("s");
        statements.put("größe", made);
        assertThat(findByBytes("größe")).isSameAs(made);
        assertThat(statements.names()).containsExactly("größe");
    }
}
