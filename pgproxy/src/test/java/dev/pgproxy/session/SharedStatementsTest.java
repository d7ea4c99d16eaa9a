package dev.pgproxy.session;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.pgproxy.protocol.sql.QueryFacts;
import org.junit.jupiter.api.Test;

final class SharedStatementsTest {
    private static final SharedStatements.Scope SCOPE = new SharedStatements.Scope("UTF8", "on", "", "", 0);

    private final SharedStatements statements = new SharedStatements();

    private SharedStatement find(String text, SharedStatements.Scope scope, String name) {
        return statements.find((text + "\0\0\0").getBytes(UTF_8), scope, name, QueryFacts.EMPTY);
    }

    private static String name(SharedStatement statement) {
        return new String(statement.name(), UTF_8);
    }

    @Test
    void theSameTextInTheSameScopeIsOneStatementUnderTheFirstName() {
        SharedStatement first = find("SELECT 1", SCOPE, "S_1");
        assertThat(find("SELECT 1", SCOPE, "other")).isSameAs(first);
        assertThat(name(first)).isEqualTo("S_1");
    }

    @Test
    void whateverDecidesWhatATextMeansMakesAnotherStatement() {
        SharedStatements.Scope[] scopes = {
            SCOPE,
            new SharedStatements.Scope("LATIN1", "on", "", "", 0),
            new SharedStatements.Scope("UTF8", "off", "", "", 0),
            new SharedStatements.Scope("UTF8", "on", "SET search_path TO a", "", 0),
            new SharedStatements.Scope("UTF8", "on", "", "SET ROLE a", 0),
            new SharedStatements.Scope("UTF8", "on", "", "", 1),
        };
        SharedStatement[] found = new SharedStatement[scopes.length];
        for (int i = 0; i < scopes.length; i++) {
            found[i] = find("SELECT 1", scopes[i], "S_1");
        }
        assertThat(found).doesNotHaveDuplicates();
        assertThat(found).extracting(SharedStatementsTest::name).doesNotHaveDuplicates();
        assertThat(statements.size()).isEqualTo(scopes.length);
    }

    @Test
    void aNameThatIsTakenOrEmptyIsReplaced() {
        find("SELECT 1", SCOPE, "S_1");
        SharedStatement second = find("SELECT 2", SCOPE, "S_1");
        assertThat(name(second)).startsWith(SharedStatements.PREFIX);
        SharedStatement third = find("SELECT 3", SCOPE, "");
        assertThat(name(third)).startsWith(SharedStatements.PREFIX).isNotEqualTo(name(second));
        // a client that proposes a name of ours does not get it twice
        assertThat(name(find("SELECT 4", SCOPE, name(third)))).isNotEqualTo(name(third));
    }

    @Test
    void aNameThatPostgresWouldCutIsReplaced() {
        String name = "n".repeat(63);
        assertThat(name(find("SELECT 1", SCOPE, name))).isEqualTo(name);
        assertThat(name(find("SELECT 2", SCOPE, name + "x"))).startsWith(SharedStatements.PREFIX);
        assertThat(name(find("SELECT 3", SCOPE, "ü".repeat(32)))).startsWith(SharedStatements.PREFIX);
    }

    @Test
    @SuppressWarnings("UnusedVariable") // held on purpose
    void aStatementThatNobodyHasIsForgottenWithItsName() {
        SharedStatement held = find("SELECT held", SCOPE, "held");
        find("SELECT 1", SCOPE, "S_1");
        await().until(() -> {
            System.gc();
            return statements.size() == 1;
        });
        assertThat(name(find("SELECT 2", SCOPE, "S_1"))).isEqualTo("S_1");
        assertThat(find("SELECT held", SCOPE, "x")).isSameAs(held);
    }
}
