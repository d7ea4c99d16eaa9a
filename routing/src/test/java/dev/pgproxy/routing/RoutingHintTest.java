package dev.pgproxy.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RoutingHintTest {
    @Test
    void wordsSayWhere() {
        assertThat(RoutingHint.parse(" primary ").hint())
                .isEqualTo(new RoutingHint(RoutingHint.Target.PRIMARY, null, null, CacheWish.NONE, false, null));
        assertThat(RoutingHint.parse("REPLICA max_staleness=500ms").hint())
                .isEqualTo(new RoutingHint(
                        RoutingHint.Target.REPLICA, null, Duration.ofMillis(500), CacheWish.NONE, false, null));
        assertThat(RoutingHint.parse("host=Db2:5432").hint())
                .isEqualTo(new RoutingHint(RoutingHint.Target.HOST, "Db2:5432", null, CacheWish.NONE, false, null));
        assertThat(RoutingHint.parse("max_staleness=2").hint().maxStaleness()).isEqualTo(Duration.ofSeconds(2));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"", "primray", "primary replica", "host=", "max_staleness=soon", "max_staleness=-1s", "replica x"
            })
    void mistakesAreReportedAndNothingIsObeyed(String text) {
        assertThat(RoutingHint.parse(text).problems()).isNotEmpty();
        assertThat(RoutingHint.parse(text).hint()).isEqualTo(RoutingHint.NONE);
    }

    @Test
    void saysWhatBecomesOfResults() {
        assertThat(RoutingHint.parse("cache ttl=30s tag=a,b").hint().cache())
                .isEqualTo(new CacheWish(true, false, Duration.ofSeconds(30), List.of("a", "b")));
        assertThat(RoutingHint.parse("primary nocache").hint().cache().never()).isTrue();
        assertThat(RoutingHint.parse("cache ttl=very_long").hint().cache().ttl())
                .isEqualTo(Duration.ofHours(24));
        assertThat(RoutingHint.parse("nocache ttl=1s").problems()).hasSize(1);
        assertThat(RoutingHint.parse("cache ttl=soon tag=,").problems()).hasSize(2);
    }

    @Test
    void aStatementsOwnWishWins() {
        CacheWish own = RoutingHint.parse("cache ttl=1s").hint().cache();
        CacheWish set = RoutingHint.parse("cache ttl=2s tag=x").hint().cache();
        assertThat(own.over(set)).isEqualTo(new CacheWish(true, false, Duration.ofSeconds(1), List.of("x")));
        assertThat(CacheWish.NONE.over(set)).isEqualTo(set);
        assertThat(own.over(RoutingHint.parse("nocache").hint().cache()).never())
                .isFalse();
    }
}
