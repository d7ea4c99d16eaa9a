package dev.pgproxy.testing;

import org.junit.jupiter.api.Test;

/** The first test of {@code -Pdocker}, and of nothing else. */
final class DockerCheck {
    @Test
    void aContainerOfTheImageAnswers() {
        TestCluster.server().execute("SELECT 1");
    }
}
