package dev.pgproxy.handover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.pgproxy.testing.NotifySocket;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** One datagram to who waits for it. */
@EnabledOnOs(OS.LINUX)
class ReadinessTest {
    @TempDir
    private Path directory;

    @Test
    void aSocketWithAFileHearsIt() throws Exception {
        String name = directory.resolve("notify").toString();
        try (NotifySocket systemd = new NotifySocket(name)) {
            Readiness.tell(Map.of("NOTIFY_SOCKET", name));
            assertThat(systemd.await()).isEqualTo("READY=1\n");
        }
    }

    @Test
    void anAbstractSocketHearsIt() throws Exception {
        String name = "@pgproxy-test-" + ProcessHandle.current().pid();
        try (NotifySocket systemd = new NotifySocket(name)) {
            Readiness.tell(Map.of("NOTIFY_SOCKET", name));
            assertThat(systemd.await()).isEqualTo("READY=1\n");
        }
    }

    @Test
    void whereNobodyListensNothingIsThrown() {
        String name = directory.resolve("nobody").toString();
        assertThatCode(() -> Readiness.tell(Map.of("NOTIFY_SOCKET", name))).doesNotThrowAnyException();
        assertThatCode(() -> Readiness.tell(Map.of())).doesNotThrowAnyException();
    }
}
