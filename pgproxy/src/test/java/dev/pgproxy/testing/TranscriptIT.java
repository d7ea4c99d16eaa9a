package dev.pgproxy.testing;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

/** That a comparison finds what it is for, and only that. */
final class TranscriptIT {

    @Test
    void aDifferentValueIsShownWithItsLine() {
        ProxyUnderTest.shared().direct().run("CREATE SEQUENCE transcript_runs");
        assertThatThrownBy(() -> Transcript.assertSame((c, t) -> {
                    c.query("SELECT 'same'").readUntilReady();
                    c.query("SELECT 'run ' || nextval('transcript_runs')").readUntilReady();
                }))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("aDifferentValueIsShownWithItsLine differs")
                .hasMessageContaining("at line 8")
                .hasMessageContaining("'run 1'")
                .hasMessageContaining("'run 2'");
        ProxyUnderTest.shared().direct().run("DROP SEQUENCE transcript_runs");
    }

    @Test
    void aMissingOrAdditionalMessageIsFound() {
        ProxyUnderTest.shared().direct().run("CREATE SEQUENCE transcript_rows");
        assertThatThrownBy(() -> Transcript.assertSame(
                        (c, t) -> c.query("SELECT FROM generate_series(1, nextval('transcript_rows'))")
                                .readUntilReady()))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("differs");
        ProxyUnderTest.shared().direct().run("DROP SEQUENCE transcript_rows");
    }

    @Test
    void whatCannotBeEqualIsNotCompared() {
        assertThatCode(() -> Transcript.assertSameFromStart((c, t) -> {
                    c.login(
                            t.endpoint().user(),
                            t.endpoint().password(),
                            t.endpoint().database());
                    c.query("CREATE TEMP TABLE fresh (a int CHECK (a > 0)); SELECT * FROM fresh")
                            .readUntilReady();
                    c.query("INSERT INTO fresh VALUES (-1)").readUntilReady();
                    c.query("LISTEN transcript; NOTIFY transcript").readUntilReady();
                }))
                .doesNotThrowAnyException();
    }

    @Test
    void aScenarioThatBreaksShowsWhatWasSaid() {
        assertThatThrownBy(() -> Transcript.assertSame(
                        (c, t) -> t.expect("Z", c.query("SELECT 'shown'").readUntilReady())))
                .isInstanceOf(AssertionError.class)
                .hasMessageContaining("DataRow ['shown']");
    }
}
