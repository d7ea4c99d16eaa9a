package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class ChangeTextTest {
    private final ChangeText text = new ChangeText(StandardCharsets.UTF_8, 1000);

    @Test
    void aTransactionIsToldAtItsCommitWithItsTables() {
        assertThat(accept("BEGIN 740")).isNull();
        assertThat(accept("table public.a: INSERT: id[integer]:1 b[text]:'x'")).isNull();
        assertThat(accept("table public.a: UPDATE: old-key: id[integer]:1 new-tuple: id[integer]:2"))
                .isNull();
        assertThat(accept("table other.\"B c\": DELETE: (no-tuple-data)")).isNull();
        assertThat(accept("table public.c, public.\"select\": TRUNCATE: restart_seqs cascade"))
                .isNull();

        Written written = Objects.requireNonNull(accept("COMMIT 740 (at 2026-11-21 20:15:00.123456+00)"));
        assertThat(written.xid()).isEqualTo(740);
        assertThat(written.changes()).isEqualTo(4);
        assertThat(written.everything()).isFalse();
        assertThat(written.tables())
                .containsExactlyInAnyOrder(
                        new TableName("public", "a"),
                        new TableName("other", "B c"),
                        new TableName("public", "c"),
                        new TableName("public", "select"));
        assertThat(Instant.EPOCH.plusNanos(written.committed() * 1000))
                .isEqualTo(Instant.parse("2026-11-21T20:15:00.123456Z"));
    }

    @Test
    void theNextTransactionBeginsWithNothing() {
        transaction("table public.a: INSERT: x");
        Written second = transaction("table public.b: INSERT: x");
        assertThat(second.tables()).containsExactly(new TableName("public", "b"));
        assertThat(second.changes()).isEqualTo(1);
    }

    @Test
    void numbersOfTransactionsUseAll32Bits() {
        accept("BEGIN 4294967295");
        Written written = Objects.requireNonNull(accept("COMMIT 4294967295"));
        assertThat(Integer.toUnsignedLong(written.xid())).isEqualTo(4294967295L);
        assertThat(written.committed()).isZero();
    }

    @Test
    void timesOfAnyPrecisionAreReadAndOthersLeftOut() {
        assertThat(committed("2026-11-21 20:15:00+00")).isEqualTo(Instant.parse("2026-11-21T20:15:00Z"));
        assertThat(committed("2026-11-21 20:15:00.5+00")).isEqualTo(Instant.parse("2026-11-21T20:15:00.5Z"));
        assertThat(committed("2026-11-21 20:15:00.5+05:30")).isEqualTo(Instant.EPOCH);
        assertThat(committed("someday, perhaps, in the year 12345+00")).isEqualTo(Instant.EPOCH);
    }

    @Test
    void valuesThatLookLikeMessagesAreNotRead() {
        Written written = transaction(
                "table public.a: INSERT: x[text]:'table b.c: INSERT: '",
                "message: transactional: 1 " + "prefix: p, sz: 9 content:table b.c: INSERT:");
        assertThat(written.tables()).containsExactly(new TableName("public", "a"));
        assertThat(written.changes()).isEqualTo(1);
    }

    @Test
    void whatIsNotUnderstoodCountsAsEverything() {
        for (String message : List.of(
                "table public.a: REPACK: x",
                "table a: INSERT: x",
                "table : INSERT: x",
                "table public.: INSERT: x",
                "table public.\"a: INSERT: x",
                "table public.a INSERT: x",
                "table public.a, : TRUNCATE: x",
                "sequence public.s: 1",
                "",
                "table ")) {
            Written written = transaction("table public.b: INSERT: x", message);
            assertThat(written.everything()).as(message).isTrue();
            assertThat(written.tables()).as(message).isEmpty();
        }
    }

    @Test
    void whatCannotBeDecodedCountsAsEverything() {
        accept("BEGIN 1");
        byte[] latin = "table public.\"\u00e9\": INSERT: x".getBytes(StandardCharsets.ISO_8859_1);
        assertThat(text.accept(latin, 0)).isNull();
        Written written = Objects.requireNonNull(accept("COMMIT 1"));
        assertThat(written.everything()).isTrue();
    }

    @Test
    void namesAreInTheEncodingOfTheDatabase() {
        Charset japanese = Charset.forName("EUC-JP");
        ChangeText reader = new ChangeText(japanese, 10);
        reader.accept("table public.\"\u8868\u306e\u540d\": INSERT: x".getBytes(japanese), 0);
        Written written = Objects.requireNonNull(reader.accept("COMMIT 1".getBytes(japanese), 0));
        assertThat(written.tables()).containsExactly(new TableName("public", "\u8868\u306e\u540d"));
    }

    @Test
    void tooManyTablesAreEverything() {
        ChangeText reader = new ChangeText(StandardCharsets.UTF_8, 3);
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < 3 + round; i++) {
                reader.accept(utf8("table public.t" + i + ": INSERT: x"), 0);
            }
            Written written = Objects.requireNonNull(reader.accept(utf8("COMMIT 1"), 0));
            assertThat(written.everything()).isEqualTo(round == 1);
            assertThat(written.tables()).hasSize(round == 1 ? 0 : 3);
        }
    }

    @Test
    void aCommitOfNobodyIsAMistake() {
        assertThatThrownBy(() -> accept("COMMIT (at x)")).isInstanceOf(IllegalStateException.class);
    }

    @Test
    void everyNameThatPostgresCanQuoteIsReadBack() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        for (int round = 0; round < 20_000; round++) {
            Set<TableName> names = new HashSet<>();
            StringBuilder list = new StringBuilder();
            int count = random.nextInt(1, 4);
            for (int i = 0; i < count; i++) {
                TableName name = new TableName(name(random), name(random));
                names.add(name);
                list.append(i == 0 ? "" : ", ")
                        .append(quoted(name.schema()))
                        .append('.')
                        .append(quoted(name.name()));
            }
            String message = "table " + list + (count == 1 ? ": UPDATE: " : ": TRUNCATE: ") + name(random);
            Written written = transaction(message);
            assertThat(written.tables()).as("seed %d: %s", seed, message).isEqualTo(names);
            assertThat(written.everything()).as("seed %d: %s", seed, message).isFalse();
        }
    }

    @Test
    void noBytesMakeItFailOtherThanByMistakesInACommit() {
        long seed = System.nanoTime();
        SplittableRandom random = new SplittableRandom(seed);
        byte[] valid = utf8("table \"a\"\"b\".c, d.\"e\": TRUNCATE: (no-flags)");
        for (int round = 0; round < 50_000; round++) {
            byte[] bytes = Arrays.copyOf(valid, random.nextInt(valid.length + 1));
            for (int i = random.nextInt(3); i > 0 && bytes.length > 0; i--) {
                bytes[random.nextInt(bytes.length)] = (byte) random.nextInt(256);
            }
            assertThat(text.accept(bytes, 0)).as("seed %d", seed).isNull();
        }
    }

    private Instant committed(String time) {
        accept("BEGIN 1");
        Written written = Objects.requireNonNull(accept("COMMIT 1 (at " + time + ")"));
        return Instant.EPOCH.plusNanos(written.committed() * 1000);
    }

    private Written transaction(String... messages) {
        accept("BEGIN 1");
        for (String message : messages) {
            assertThat(accept(message)).isNull();
        }
        return Objects.requireNonNull(accept("COMMIT 1"));
    }

    /** Behind a header, as in the stream. */
    private @Nullable Written accept(String message) {
        return text.accept(utf8("header" + message), "header".length());
    }

    private static byte[] utf8(String message) {
        return message.getBytes(StandardCharsets.UTF_8);
    }

    private static String name(SplittableRandom random) {
        String[] letters = {
            "a",
            "b",
            "z",
            "A",
            "0",
            "9",
            "_",
            " ",
            ".",
            ",",
            ":",
            "\"",
            "'",
            "\n",
            "\u00e9",
            "\ud83d\ude00",
            ": INSERT:",
            ", ",
            "$"
        };
        StringBuilder name = new StringBuilder();
        for (int i = random.nextInt(1, 6); i > 0; i--) {
            name.append(letters[random.nextInt(letters.length)]);
        }
        return name.toString();
    }

    /** As quote_identifier() in ruleutils.c, but for keywords, which it quotes though they need not be for us. */
    private static String quoted(String name) {
        boolean plain = name.chars().allMatch(c -> c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '_')
                && !Character.isDigit(name.charAt(0));
        return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
    }
}
