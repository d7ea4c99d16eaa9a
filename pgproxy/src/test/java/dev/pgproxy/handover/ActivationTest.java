package dev.pgproxy.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What systemd writes into the environment. */
class ActivationTest {
    @Test
    void descriptorsBeginAtThree() throws IOException {
        assertThat(Activation.descriptors(Map.of("LISTEN_PID", "77", "LISTEN_FDS", "2"), 77))
                .containsExactly(3, 4);
    }

    @Test
    void whatIsMeantForAnotherProcessIsNotTaken() throws IOException {
        assertThat(Activation.descriptors(Map.of("LISTEN_PID", "76", "LISTEN_FDS", "2"), 77))
                .isEmpty();
        assertThat(Activation.descriptors(Map.of("LISTEN_FDS", "2"), 77)).isEmpty();
    }

    @Test
    void whatIsNoNumberIsRefused() {
        assertThatThrownBy(() -> Activation.descriptors(Map.of("LISTEN_PID", "77", "LISTEN_FDS", "-1"), 77))
                .isInstanceOf(IOException.class)
                .hasMessage("LISTEN_PID is this process, but LISTEN_FDS is no number: '-1'");
    }
}
