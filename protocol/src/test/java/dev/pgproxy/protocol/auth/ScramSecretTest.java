package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScramSecretTest {
    private static final String STORED_KEY = "irViU6A0HbBiPY0vT4JLeC0dsQnc8SRs+95hmxr0BY4=";
    private static final String SERVER_KEY = "sqLI3rYmSijfsgfjkfWLDdsWdC6Apl0IUbPyL3jBl0c=";

    static List<Fixtures.Verifier> verifiers() {
        return Fixtures.verifiers();
    }

    @ParameterizedTest
    @MethodSource("verifiers")
    void derivesWhatPostgresStored(Fixtures.Verifier made) {
        ScramSecret secret = made.secret();
        assertThat(ScramSecret.derive(made.password(), secret.salt(), secret.iterations()))
                .isEqualTo(secret)
                .hasSameHashCodeAs(secret);
        assertThat(secret.format()).isEqualTo(made.stored());
        assertThat(secret.accepts(made.password())).isTrue();
        assertThat(secret.accepts("another".getBytes(StandardCharsets.UTF_8))).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "SCRAM-SHA-256$",
                "SCRAM-SHA-1$4096:AAAA$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$0:AAAA$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$-1:AAAA$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$9999999999:AAAA$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$4096:$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$4096:AAA$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$4096:AA*A$" + STORED_KEY + ":" + SERVER_KEY,
                "SCRAM-SHA-256$4096:AAAA$" + STORED_KEY,
                "SCRAM-SHA-256$4096:AAAA$AAAA:" + SERVER_KEY,
                "SCRAM-SHA-256$4096:AAAA$" + STORED_KEY + ":AAAA",
                "SCRAM-SHA-256$4096:AAAA$" + STORED_KEY + ":" + SERVER_KEY + " ",
                "SCRAM-SHA-256$4096:AAAA$" + STORED_KEY + ":" + SERVER_KEY + ":",
            })
    void refusesWhatIsNoVerifier(String text) {
        assertThat(ScramSecret.parse(text)).isNull();
    }

    @Test
    void showsNothingOfItself() {
        ScramSecret secret = Fixtures.verifiers().getFirst().secret();
        assertThat(secret).hasToString("ScramSecret[iterations=4096]");
        assertThat(ScramKeys.derive(new byte[] {1}, new byte[] {2}, 3)).hasToString("ScramKeys[iterations=3]");
    }

    @Test
    void cannotBeChangedFromOutside() {
        ScramSecret secret = Fixtures.verifiers().getFirst().secret();
        secret.salt()[0] ^= 1;
        secret.storedKey()[0] ^= 1;
        secret.serverKey()[0] ^= 1;
        assertThat(secret.format()).isEqualTo(Fixtures.verifiers().getFirst().stored());
    }

    @Test
    void differsWhereAnyPartDiffers() {
        byte[] password = "pencil".getBytes(StandardCharsets.UTF_8);
        byte[] salt = {1, 2, 3};
        ScramSecret secret = ScramSecret.derive(password, salt, 2);
        assertThat(secret)
                .isNotEqualTo(ScramSecret.derive(password, salt, 3))
                .isNotEqualTo(ScramSecret.derive(password, new byte[] {1, 2}, 2))
                .isNotEqualTo(ScramSecret.derive(salt, salt, 2))
                .isNotEqualTo("secret");
    }

    @Test
    void theEmptyPasswordHasAVerifierToo() {
        ScramSecret secret = ScramSecret.derive(new byte[0], new byte[] {1}, 1);
        assertThat(secret.accepts(new byte[0])).isTrue();
        assertThat(secret.accepts(new byte[] {'x'})).isFalse();
    }

    @Test
    void refusesToDeriveWithoutIterations() {
        assertThatThrownBy(() -> ScramKeys.derive(new byte[1], new byte[1], 0))
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void mockSaltsAreStablePerUserAndProcess() {
        byte[] process = {1, 2, 3};
        assertThat(ScramSecret.mock("ann", process, 4096)).isEqualTo(ScramSecret.mock("ann", process, 4096));
        assertThat(ScramSecret.stableSalt("ann", process))
                .hasSize(16)
                .isEqualTo(ScramSecret.mock("ann", process, 4096).salt())
                .isNotEqualTo(ScramSecret.stableSalt("bob", process))
                .isNotEqualTo(ScramSecret.stableSalt("ann", new byte[] {9}));
    }

    @Test
    void keysBelongToTheVerifierTheyWereProvedAgainst() {
        ScramKeys keys = ScramKeys.derive(new byte[] {1}, new byte[] {2}, 3);
        ScramKeys proved = ScramKeys.of(keys.secret(), keys.clientKey());
        assertThat(proved.secret()).isEqualTo(keys.secret());
        assertThat(proved.clientKey()).isEqualTo(keys.clientKey());
        byte[] other = keys.clientKey();
        other[5] ^= 1;
        assertThatThrownBy(() -> ScramKeys.of(keys.secret(), other)).isInstanceOf(IllegalArgumentException.class);
        assertThat(keys.fit(new byte[] {2}, 3)).isTrue();
        assertThat(keys.fit(new byte[] {2}, 4)).isFalse();
        assertThat(keys.fit(new byte[] {3}, 3)).isFalse();
    }
}
