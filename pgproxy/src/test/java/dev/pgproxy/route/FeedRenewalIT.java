package dev.pgproxy.route;

import static dev.pgproxy.testing.CachingProxy.value;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.cache.feed.FeedStatus;
import dev.pgproxy.testing.CachingProxy;
import dev.pgproxy.testing.RawClient;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** When the primary is another, what a feed is connected to may still be there, but is not written to any more. */
class FeedRenewalIT {
    @Test
    void bothFeedsConnectAnewAndForgetWhatWasRead() {
        try (CachingProxy caching = CachingProxy.start(
                        "change_feed = logical\ncatalog_poll = 200ms\n",
                        "CREATE TABLE t (v int)",
                        "INSERT INTO t VALUES (0)");
                RawClient client = caching.login()) {
            DatabaseFeed feed = Objects.requireNonNull(caching.state().feed());
            awaitCovering(feed);
            await().until(() -> caching.isHit(client, "SELECT v FROM t"));
            feed.renew();
            await().until(() -> decoding(feed).losses() == 1 && feed.listening().losses() == 1);
            assertThat(feed.listening().reason()).contains("primary has changed");
            awaitCovering(feed);
            caching.routed().direct().run("UPDATE t SET v = 1");
            await().untilAsserted(
                            () -> assertThat(value(client, "SELECT v FROM t")).isEqualTo("1"));
        }
    }

    private static FeedStatus decoding(DatabaseFeed feed) {
        return Objects.requireNonNull(feed.decoding());
    }

    private static void awaitCovering(DatabaseFeed feed) {
        await().until(() -> decoding(feed).state() == FeedStatus.State.STREAMING
                && feed.listening().state() == FeedStatus.State.LISTENING);
    }
}
