package dev.pgproxy.pool;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class PoolLimitsTest {
    private final PoolLimits limits = new PoolLimits();
    private final PoolKey one = new PoolKey("db", "ann");
    private final PoolKey other = new PoolKey("db", "bob");

    @Test
    void aDatabaseIsLimitedOverItsUsers() {
        assertThat(limits.acquire(one, 2, 0)).isTrue();
        assertThat(limits.acquire(other, 2, 0)).isTrue();
        assertThat(limits.acquire(one, 2, 0)).isFalse();
        assertThat(limits.ofDatabase("db")).isEqualTo(2);
        limits.release(other);
        assertThat(limits.acquire(one, 2, 0)).isTrue();
    }

    @Test
    void aUserIsLimitedOverTheDatabases() {
        assertThat(limits.acquire(one, 0, 1)).isTrue();
        assertThat(limits.acquire(new PoolKey("db2", "ann"), 0, 1)).isFalse();
        assertThat(limits.ofDatabase("db2")).as("a refusal counts nowhere").isZero();
        assertThat(limits.acquire(other, 0, 1)).isTrue();
        limits.release(one);
        assertThat(limits.ofUser("ann")).isZero();
        limits.release(one);
        assertThat(limits.ofUser("ann")).isZero();
    }

    @Test
    void zeroIsNoLimit() {
        for (int i = 0; i < 1000; i++) {
            assertThat(limits.acquire(one, 0, 0)).isTrue();
        }
    }
}
