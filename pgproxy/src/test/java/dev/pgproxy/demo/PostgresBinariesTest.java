package dev.pgproxy.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresBinariesTest {
    @TempDir
    private Path cache;

    @Test
    void theResourceIsNamedByPlatform() {
        assertThat(PostgresBinaries.resourceName("Linux", "amd64")).isEqualTo("/postgres-linux-x86_64.txz");
        assertThat(PostgresBinaries.resourceName("Linux", "aarch64")).isEqualTo("/postgres-linux-arm_64.txz");
        assertThat(PostgresBinaries.resourceName("Mac OS X", "aarch64")).isEqualTo("/postgres-darwin-arm_64.txz");
        assertThat(PostgresBinaries.resourceName("Mac OS X", "x86_64")).isEqualTo("/postgres-darwin-x86_64.txz");
    }

    @Test
    void anotherPlatformIsRefusedWithAWayOut() {
        assertThatThrownBy(() -> PostgresBinaries.resourceName("Windows 11", "amd64"))
                .isInstanceOf(ClusterException.class)
                .hasMessageContaining("not on Windows 11 amd64")
                .hasMessageContaining("bin/pgproxy run --primary URL");
    }

    @Test
    void twoThatUnpackAtOnceEndWithOneDirectoryWhichIsThenReusedAndRepaired() throws Exception {
        try (ExecutorService both = Executors.newFixedThreadPool(2)) {
            Future<PostgresBinaries> one = both.submit(() -> PostgresBinaries.unpacked(cache, line -> {}));
            Future<PostgresBinaries> two = both.submit(() -> PostgresBinaries.unpacked(cache, line -> {}));
            assertThat(one.get()).isEqualTo(two.get());
        }
        Path home = PostgresBinaries.unpacked(cache, line -> {
                    throw new AssertionError(line);
                })
                .home();
        assertThat(entries()).containsExactly(home);

        // as a cleaner of temporary files does
        Path eaten = home.resolve("share/postgresql/postgres.bki");
        Files.delete(eaten);
        assertThat(PostgresBinaries.unpacked(cache, line -> {}).home()).isEqualTo(home);
        assertThat(eaten).exists();
        assertThat(entries()).containsExactly(home);
    }

    private List<Path> entries() throws IOException {
        try (Stream<Path> entries = Files.list(cache)) {
            return entries.toList();
        }
    }
}
