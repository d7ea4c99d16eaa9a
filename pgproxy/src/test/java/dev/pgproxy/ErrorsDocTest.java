package dev.pgproxy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.protocol.backend.SqlState;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That docs/errors.md has a row for every SQLSTATE that the sources use, and for no other. */
final class ErrorsDocTest {
    private static final Path REPOSITORY = Path.of(".."); // of the module
    private static final Pattern USE = Pattern.compile("\\bSqlState\\.([A-Z_0-9]+)\\b");
    private static final Pattern ROW = Pattern.compile("(?m)^\\| `(\\w{5})` \\|");

    @Test
    void everySqlStateThatIsUsedHasARow() throws IOException {
        Set<SqlState> used =
                EnumSet.of(SqlState.PROTOCOL_VIOLATION); // what a ProtocolViolation has unless it says otherwise
        for (String module : new String[] {"protocol", "pgproxy"}) {
            try (Stream<Path> files = Files.walk(REPOSITORY.resolve(module).resolve("src/main/java"))) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(".java")).toList()) {
                    USE.matcher(Files.readString(file))
                            .results()
                            .forEach(use -> used.add(SqlState.valueOf(use.group(1))));
                }
            }
        }
        Set<String> wanted = new TreeSet<>();
        used.forEach(state -> wanted.add(state.code()));

        Set<String> listed = new TreeSet<>();
        Matcher row = ROW.matcher(Files.readString(REPOSITORY.resolve("docs/errors.md")));
        while (row.find()) {
            listed.add(row.group(1));
        }
        assertThat(listed).isEqualTo(wanted);
    }
}
