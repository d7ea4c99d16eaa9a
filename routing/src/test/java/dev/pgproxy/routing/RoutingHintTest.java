package dev.pgproxy.routing;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RoutingHintTest {
    @Test
    void wordsSayWhere() {
        assertThat(RoutingHint.parse(" primary ").hint())
                .isEqualTo(new RoutingHint(RoutingHint.Target.PRIMARY, null, null));
        assertThat(RoutingHint.parse("REPLICA max_staleness=500ms").hint())
                .isEqualTo(new RoutingHint(RoutingHint.Target.REPLICA, null, Duration.ofMillis(500)));
        assertThat(RoutingHint.parse("host=Db2:5432").hint())
                .isEqualTo(new RoutingHint(RoutingHint.Target.HOST, "Db2:5432", null));
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
}
