package dev.pgproxy.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class StartupParametersTest {
    private static Map<String, String> of(String... namesAndValues) throws StartupParameters.BadOption {
        Map<String, String> startup = new LinkedHashMap<>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            startup.put(namesAndValues[i], namesAndValues[i + 1]);
        }
        return StartupParameters.of(startup).values();
    }

    @Test
    void whatIsNoParameterIsLeftOut() throws Exception {
        assertThat(of("user", "u", "database", "d", "replication", "", "_pq_.x", "1", "DateStyle", "ISO"))
                .containsExactly(entry("datestyle", "ISO"));
    }

    @Test
    void optionsAreReadAsTheServerReadsThem() throws Exception {
        assertThat(of("options", "-c search_path=a,b  --work-mem=4MB\t-cstatement_timeout=5 -c x.y="))
                .containsExactly(
                        entry("search_path", "a,b"),
                        entry("work_mem", "4MB"),
                        entry("statement_timeout", "5"),
                        entry("x.y", ""));
        assertThat(of("options", "-c application_name=my\\ app\\\\"))
                .containsExactly(entry("application_name", "my app\\"));
    }

    @Test
    void parametersOfTheirOwnWinOverOptions() throws Exception {
        assertThat(of("work_mem", "1MB", "options", "-c work_mem=2MB")).containsExactly(entry("work_mem", "1MB"));
    }

    @Test
    void optionsThatAreNoParametersAreRefused() {
        assertThatThrownBy(() -> of("options", "-d 5"))
                .isInstanceOf(StartupParameters.BadOption.class)
                .hasMessage("invalid command-line argument for server process: -d");
        assertThatThrownBy(() -> of("options", "-c work_mem")).hasMessage("-c work_mem requires a value");
        assertThatThrownBy(() -> of("options", "--work-mem")).hasMessage("--work-mem requires a value");
        assertThatThrownBy(() -> of("options", "-c")).isInstanceOf(StartupParameters.BadOption.class);
    }

    @Test
    void settingsSetEachValueAsItCame() throws Exception {
        StartupParameters parameters = StartupParameters.of(Map.of("search_path", "a, 'b'"));
        assertThat(parameters.settings().get("search_path"))
                .isEqualTo("SELECT pg_catalog.set_config('search_path','a, ''b''',false)");
    }
}
