package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.results.HotRead;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HotFileTest {
    @TempDir
    private Path directory = Path.of("");

    private Path path() {
        return directory.resolve("hot");
    }

    private static List<HotRead> some(Random random) {
        List<HotRead> reads = new ArrayList<>();
        for (int i = random.nextInt(20); i >= 0; i--) {
            byte[] messages = new byte[1 + random.nextInt(5000)];
            random.nextBytes(messages);
            reads.add(
                    new HotRead("d" + i, "ü", random.nextBoolean() ? List.of() : List.of("SET a = '1'", ""), messages));
        }
        return reads;
    }

    @Test
    void whatWasWrittenIsRead() {
        Random random = new Random(7);
        HotFile file = new HotFile(path());
        assertThat(file.read()).isEmpty();
        for (int i = 0; i < 3; i++) {
            List<HotRead> reads = some(random);
            file.write(reads);
            assertThat(file.read()).isEqualTo(reads);
        }
        assertThat(directory).isDirectoryNotContaining("glob:**.new");
    }

    @Test
    void whatOthersMayReadOrWriteIsNotUsed() throws IOException {
        HotFile file = new HotFile(path());
        file.write(some(new Random(8)));
        Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rw--w----"));
        assertThat(file.read()).isEmpty();
        Files.setPosixFilePermissions(path(), PosixFilePermissions.fromString("rw-r-----"));
        assertThat(file.read()).isEmpty();
    }

    @Test
    void whatIsDamagedIsNotUsedAndTakesNoMemory() throws IOException {
        Random random = new Random(9);
        HotFile file = new HotFile(path());
        byte[] whole = HotFile.bytes(some(random));
        file.write(List.of());
        for (int i = 0; i < 500; i++) {
            byte[] bytes = Arrays.copyOf(whole, i % 2 == 0 ? random.nextInt(whole.length) : whole.length);
            for (int changes = random.nextInt(5); changes > 0 && bytes.length > 0; changes--) {
                bytes[random.nextInt(Math.min(200, bytes.length))] = (byte) random.nextInt();
            }
            Files.write(path(), bytes);
            assertThat(file.read()).hasSizeLessThan(100);
        }
    }
}
