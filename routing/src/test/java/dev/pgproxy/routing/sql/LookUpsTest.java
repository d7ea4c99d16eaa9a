package dev.pgproxy.routing.sql;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class LookUpsTest {
    private static final long SECOND = 1_000_000_000;

    private final long seed = new Random().nextLong();
    private final Random random = new Random(seed);
    private final LookUps lookUps = new LookUps(0);
    private final Set<Integer> kept = new HashSet<>();
    private long now;

    @ParameterizedTest
    @ValueSource(ints = {10, 100, 1_000, 30_000, 100_000})
    void whatNeverRepeatsIsLookedUpSoManyTimesInASecond(int perSecond) {
        ask(1024 + 2 * perSecond, perSecond, random::nextInt);

        double inASecond = ask(10 * perSecond, perSecond, random::nextInt) / 10.0;

        assertThat(inASecond).as("seed %s", seed).isBetween(Math.min(perSecond, 60.0), 140.0);
        assertThat(lookUps.areSeldomOfUse()).isEqualTo(perSecond >= 128);
    }

    @Test
    void everythingIsLookedUpWhenLittleIsAsked() {
        ask(1_000_000, 50_000, random::nextInt);
        assertThat(lookUps.areSeldomOfUse()).isTrue();

        ask(2_000, 10, random::nextInt);

        assertThat(lookUps.areSeldomOfUse()).as("seed %s", seed).isFalse();
        assertThat(ask(1_000, 10, random::nextInt)).isEqualTo(1_000);
    }

    @Test
    void whatRepeatsIsLookedUpAlways() {
        assertThat(ask(200_000, 30_000, () -> random.nextInt(20) == 0 ? 1 : random.nextInt()))
                .as("seed %s", seed)
                .isEqualTo(200_000);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 20, 1_000, 100_000})
    void keysThatBeginToRepeatAreNoticed(int hot) {
        ask(300_000, 30_000, random::nextInt);
        assertThat(lookUps.areSeldomOfUse()).isTrue();

        int first = random.nextInt();
        int asked = 0;
        while (lookUps.areSeldomOfUse() && asked < 300 * 30_000) { // in five minutes
            ask(1, 30_000, () -> random.nextBoolean() ? first + random.nextInt(hot) : random.nextInt());
            asked++;
        }

        assertThat(lookUps.areSeldomOfUse()).as("seed %s", seed).isFalse();
    }

    @Test
    void aRepetitionByChanceIsNone() {
        ask(300_000, 30_000, random::nextInt);

        for (int i = 0; i < 20; i++) {
            now += SECOND / 100;
            lookUps.count(i == 10, now);
        }

        assertThat(lookUps.areSeldomOfUse()).as("seed %s", seed).isTrue();
    }

    /** Keys are asked for so often, and kept when they were looked up; returns how many were. */
    private int ask(int times, int perSecond, IntSupplier keys) {
        int lookedUp = 0;
        for (int i = 0; i < times; i++) {
            now += SECOND / perSecond;
            int key = keys.getAsInt();
            if (lookUps.isWanted(key * 0x9E3779B9 >>> 7)) {
                lookedUp++;
                lookUps.count(!kept.add(key), now);
            }
        }
        return lookedUp;
    }
}
