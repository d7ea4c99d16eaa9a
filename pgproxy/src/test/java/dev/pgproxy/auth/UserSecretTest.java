package dev.pgproxy.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.pgproxy.auth.UserSecret.NoPassword;
import dev.pgproxy.auth.UserSecret.PlainPassword;
import dev.pgproxy.protocol.auth.Md5Password;
import dev.pgproxy.protocol.auth.ScramSecret;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class UserSecretTest {
    private static final byte[] PASSWORD = "S\u20accret".getBytes(StandardCharsets.UTF_8);
    private static final String VERIFIER =
            ScramSecret.derive(PASSWORD, new byte[] {1, 2, 3}, 2).format();
    private static final String HASH = Md5Password.hash("ann", PASSWORD);

    @Test
    void eachKindAcceptsThePasswordAndNothingElse() {
        for (String stored : List.of("S\u20accret", HASH, VERIFIER)) {
            UserSecret secret = UserSecret.parse(stored);
            assertThat(secret.accepts("ann", PASSWORD)).isTrue();
            assertThat(secret.accepts("ann", "Secret".getBytes(StandardCharsets.UTF_8)))
                    .isFalse();
            assertThat(secret.accepts("ann", new byte[0])).isFalse();
        }
        assertThat(UserSecret.parse(HASH).accepts("bob", PASSWORD)).isFalse();
    }

    @Test
    void noPasswordAcceptsNone() {
        assertThat(UserSecret.parse("")).isEqualTo(new NoPassword());
        assertThat(new NoPassword().accepts("ann", PASSWORD)).isFalse();
        assertThat(new NoPassword().accepts("ann", new byte[0])).isFalse();
        assertThat(new PlainPassword("").accepts("ann", new byte[0])).isFalse();
        UserSecret emptyVerifier = UserSecret.parse(
                ScramSecret.derive(new byte[0], new byte[] {1}, 1).format());
        assertThat(emptyVerifier.accepts("ann", new byte[0])).isFalse();
    }

    @Test
    void noneShowsItself() {
        assertThat(UserSecret.parse("S\u20accret").toString()).isEqualTo("PlainPassword[]");
        assertThat(UserSecret.parse(HASH).toString()).isEqualTo("Md5Hash[]");
        assertThat(UserSecret.parse(VERIFIER).toString()).isEqualTo("ScramVerifier[secret=ScramSecret[iterations=2]]");
        assertThatThrownBy(() -> UserSecret.parse("SCRAM-SHA-256$1:hush"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("hush");
    }

    @Test
    void md5BecomesScramWhereNoMd5AnswerCanBeChecked() {
        assertThat(AuthMethod.MD5.with(UserSecret.parse(HASH))).isEqualTo(AuthMethod.MD5);
        assertThat(AuthMethod.MD5.with(UserSecret.parse("plain"))).isEqualTo(AuthMethod.MD5);
        assertThat(AuthMethod.MD5.with(UserSecret.parse(VERIFIER))).isEqualTo(AuthMethod.SCRAM);
        assertThat(AuthMethod.MD5.with(new NoPassword())).isEqualTo(AuthMethod.SCRAM);
        assertThat(AuthMethod.MD5.with(null)).isEqualTo(AuthMethod.SCRAM);
        assertThat(AuthMethod.SCRAM.with(UserSecret.parse(HASH))).isEqualTo(AuthMethod.SCRAM);
        assertThat(AuthMethod.TRUST.with(null)).isEqualTo(AuthMethod.TRUST);
    }

    @Test
    void theConfigurationWinsUnlessItHasNoPassword() {
        UserSecret configured = new PlainPassword("configured");
        UserSecret listed = new PlainPassword("listed");
        Users users = Users.of(
                Map.of("both", configured, "limits", new NoPassword(), "mine", configured, "cert", new NoPassword()),
                Map.of("both", listed, "limits", listed, "theirs", listed));
        assertThat(users.find("both")).isEqualTo(configured);
        assertThat(users.find("limits")).isEqualTo(listed);
        assertThat(users.find("mine")).isEqualTo(configured);
        assertThat(users.find("theirs")).isEqualTo(listed);
        assertThat(users.find("cert")).isEqualTo(new NoPassword());
        assertThat(users.find("Both")).isNull();
        assertThat(users.names()).containsExactlyInAnyOrder("both", "limits", "mine", "theirs", "cert");
        assertThat(users.toString()).contains("limits").doesNotContain("listed", "configured");
    }
}
