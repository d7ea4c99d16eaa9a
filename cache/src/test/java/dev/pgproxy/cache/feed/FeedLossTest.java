package dev.pgproxy.cache.feed;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.cache.feed.FeedLoss.Step;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import org.junit.jupiter.api.Test;

/** What cannot be had on the servers of the integration tests. */
class FeedLossTest {
    private static final FeedFacts FACTS =
            new FeedFacts(180004, "logical", false, "", "UTF8", "us\"er", false, 10, 10, 3, "1");

    @Test
    void aServerWithoutThePluginIsRefused() {
        FeedLoss loss = loss(Step.SLOT, "58P01", FACTS);
        assertThat(loss.refused()).isTrue();
        assertThat(loss.why()).contains("test_decoding is not installed");
    }

    @Test
    void theHintForAMissingPermissionCanBeRunAsItIs() {
        assertThat(loss(Step.CONNECT, "42501", FACTS).hint()).startsWith("ALTER ROLE \"us\"\"er\" REPLICATION");
    }

    @Test
    void connectionsThatAreUsedUpAreToldFromWalSendersThatAre() {
        FeedFacts full = new FeedFacts(180004, "logical", false, "", "UTF8", "u", true, 10, 10, 10, "1");
        assertThat(loss(Step.CONNECT, "53300", full).hint()).contains("max_wal_senders");
        assertThat(loss(Step.CONNECT, "53300", FACTS).hint()).contains("max_connections");
    }

    @Test
    void whatMayPassIsTriedAgain() {
        assertThat(loss(Step.CONNECT, "08001", FACTS).refused()).isFalse();
        assertThat(loss(Step.SLOT, "57P01", FACTS).refused()).isFalse();
        assertThat(loss(Step.STREAM, "57P01", FACTS).refused()).isFalse();
        SQLException silent = new SQLException("copy", "08006", new SocketTimeoutException("Read timed out"));
        assertThat(FeedLoss.of(Step.STREAM, silent, FACTS).why()).contains("silent");
        assertThat(FeedLoss.ofControl(new SQLException("starting", "57P03")).refused())
                .isFalse();
        assertThat(FeedLoss.ofControl(new SQLException("no such database", "3D000"))
                        .refused())
                .isTrue();
    }

    @Test
    void aServerThatRaisesItsWalLevelByItselfIsTried() {
        FeedFacts old = new FeedFacts(180004, "replica", false, "", "UTF8", "u", true, 10, 10, 0, "1");
        FeedFacts young = new FeedFacts(190000, "replica", false, "", "UTF8", "u", true, 10, 10, 0, "1");
        assertThat(old.refusal())
                .hasValueSatisfying(loss -> assertThat(loss.why()).contains("wal_level is replica"));
        assertThat(young.refusal()).isEmpty();
    }

    @Test
    void namesAreDecodedAsTheServerEncodesThem() {
        assertThat(facts("SQL_ASCII").charset()).isEqualTo(StandardCharsets.UTF_8);
        assertThat(facts("LATIN1").charset()).isEqualTo(StandardCharsets.ISO_8859_1);
        assertThat(facts("EUC_JP").charset().name()).isEqualTo("EUC-JP");
        assertThat(facts("WIN1251").charset().name()).isEqualTo("windows-1251");
        assertThat(facts("MULE_INTERNAL").charset()).isEqualTo(StandardCharsets.US_ASCII);
    }

    private static FeedFacts facts(String encoding) {
        return new FeedFacts(180004, "logical", false, "", encoding, "u", true, 10, 10, 0, "1");
    }

    private static FeedLoss loss(Step step, String state, FeedFacts facts) {
        return FeedLoss.of(step, new SQLException("told", state), facts);
    }
}
