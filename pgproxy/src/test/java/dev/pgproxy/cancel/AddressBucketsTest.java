package dev.pgproxy.cancel;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

final class AddressBucketsTest {
    private final AtomicLong now = new AtomicLong(Long.MAX_VALUE - 5);
    private final AddressBuckets buckets = new AddressBuckets(3, 10, now::get);

    private static InetAddress address(String text) {
        try {
            return InetAddress.getByName(text);
        } catch (UnknownHostException e) {
            throw new AssertionError(e);
        }
    }

    private int takeAll(String address) {
        int taken = 0;
        while (buckets.take(address(address))) {
            taken++;
        }
        return taken;
    }

    @Test
    void tokensComeBackOneByOne() {
        assertThat(takeAll("10.0.0.1")).isEqualTo(3);
        assertThat(buckets.has(address("10.0.0.1"))).isFalse();
        now.addAndGet(TimeUnit.MILLISECONDS.toNanos(100));
        assertThat(buckets.has(address("10.0.0.1"))).isTrue();
        assertThat(takeAll("10.0.0.1")).isEqualTo(1);
        now.addAndGet(TimeUnit.HOURS.toNanos(1));
        assertThat(takeAll("10.0.0.1")).isEqualTo(3);
    }

    @Test
    void eachAddressHasItsOwnAndAnIpv6HostOne() {
        assertThat(takeAll("10.0.0.1")).isEqualTo(3);
        assertThat(takeAll("10.0.0.2")).isEqualTo(3);
        assertThat(takeAll("2001:db8::1")).isEqualTo(3);
        assertThat(takeAll("2001:db8::2:1")).isZero();
        assertThat(takeAll("2001:db8:0:1::1")).isEqualTo(3);
        assertThat(buckets.take(null)).isTrue();
    }

    @Test
    void ofTooManyAddressesTheOldestAreForgotten() {
        for (int i = 0; i < 10_000; i++) {
            assertThat(buckets.take(address("10.1." + (i >> 8) + "." + (i & 255))))
                    .isTrue();
        }
        assertThat(buckets.size()).isEqualTo(4096);
    }
}
