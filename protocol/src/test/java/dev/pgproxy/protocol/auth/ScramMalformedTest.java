package dev.pgproxy.protocol.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What either side does with messages that no well-behaved peer sends. */
class ScramMalformedTest {
    private static final String PLAIN = "SCRAM-SHA-256";
    private static final String PLUS = "SCRAM-SHA-256-PLUS";
    private static final ScramKeys KEYS = ScramKeys.derive(new byte[] {'x'}, new byte[] {1, 2, 3}, 2);
    private static final ChannelBinding BINDING = Fixtures.binding("rsa-sha256.pem");
    private static final String PROOF = "p=" + "A".repeat(43) + "=";
    private static final String SIGNATURE = "v=" + "A".repeat(43) + "=";

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "~~|the message is empty",
                "x,,n=,r=abc|unexpected channel-binding flag",
                "n|',' expected at byte 1",
                "n,|',' expected at byte 2",
                "n,,|attribute 'n' expected at byte 3",
                "n,,r=abc|attribute 'n' expected at byte 3",
                "n,,n=|attribute 'r' expected at byte 5",
                "n,,n=,|attribute expected at byte 6",
                "n,,n=,r=|the nonce is empty or not printable",
                "n,,n=,r=a b|the nonce is empty or not printable",
                "n,,n=,r=ab\u00ff|the nonce is empty or not printable",
                "n,,n=,r=abc,|attribute expected at byte 12",
                "n,,n=,r=abc,1=x|attribute expected at byte 12",
                "n,,n=,r=abc,x|'=' expected at byte 13",
                "n,,n,r=abc|'=' expected at byte 4",
                "p=tls-server-end-point,,n=,r=abc|the client selected SCRAM-SHA-256, but its message has channel binding",
            })
    void theServerNamesWhatIsWrongWithAFirstMessage(String message, String reason) {
        ScramFailure failure = firstFailure(PLAIN, message, null);
        assertThat(failure.sqlState()).isEqualTo("08P01");
        assertThat(failure).hasMessage("malformed SCRAM message");
        assertThat(failure.reason()).isEqualTo(reason);
    }

    @Test
    void theServerRefusesMixedUpChannelBinding() {
        assertThat(firstFailure(PLUS, "n,,n=,r=abc", BINDING).reason()).contains("has no channel binding");
        assertThat(firstFailure(PLUS, "y,,n=,r=abc", BINDING).reason()).contains("has no channel binding");
        assertThat(firstFailure(PLAIN, "p=tls-server-end-point,,n=,r=abc", BINDING)
                        .reason())
                .contains("has channel binding");
        ScramFailure unique = firstFailure(PLUS, "p=tls-unique,,n=,r=abc", BINDING);
        assertThat(unique).hasMessage("unsupported SCRAM channel-binding type");
        assertThat(unique.sqlState()).isEqualTo("08P01");
        assertThat(firstFailure(PLUS, "p=tls-server-end-points,,n=,r=abc", BINDING)
                        .sqlState())
                .isEqualTo("08P01");
    }

    @Test
    void theServerRefusesWhatItDoesNotSpeak() {
        assertThat(firstFailure("SCRAM-SHA-1", "n,,n=,r=abc", null))
                .hasMessage("client selected an invalid SASL authentication mechanism");
        assertThat(firstFailure(PLUS, "p=tls-server-end-point,,n=,r=abc", null))
                .hasMessage("client selected an invalid SASL authentication mechanism");
        ScramFailure authorization = firstFailure(PLAIN, "n,a=bob,n=,r=abc", null);
        assertThat(authorization.sqlState()).isEqualTo("0A000");
        assertThat(authorization.getMessage()).contains("authorization identity");
        assertThat(firstFailure(PLAIN, "n,,m=x,n=,r=abc", null).sqlState()).isEqualTo("08P01");
        assertThat(firstFailure(PLAIN, "n,,n=,r=abc,m=x", null).sqlState()).isEqualTo("0A000");
        assertThat(firstFailure(PLAIN, "n,,n=,r=abc\0", null).reason()).contains("zero byte");
    }

    @Test
    void theServerToleratesTheUserNameAndOptionalExtensions() throws ScramFailure {
        ScramServer server = ScramServer.verifying("ann", KEYS.secret(), null);
        byte[] answer = server.first(PLAIN, bytes("n,,n=J\u00fcrgen,r=abc,x=1,y="));
        assertThat(new String(answer, StandardCharsets.US_ASCII))
                .startsWith("r=abc")
                .endsWith(",s=AQID,i=2");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "r=abcdef|attribute 'c' expected at byte 0",
                "c=biws|attribute 'r' expected at byte 6",
                "c=biws,r=abcdef|attribute expected at byte 15",
                "c=biws,r=abcdef,p=|attribute 'p' is not 32 bytes in base64",
                "c=biws,r=abcdef,p=AAAA|attribute 'p' is not 32 bytes in base64",
                "c=biws,r=abcdef,p=***|attribute 'p' is not 32 bytes in base64",
                "c=biws,r=abcdef,PROOF,x=1|garbage at the end of the message",
                "c=eSws,r=abcdef,PROOF|unexpected SCRAM channel-binding attribute in client-final-message",
                "c=,r=abcdef,PROOF|unexpected SCRAM channel-binding attribute in client-final-message",
                "c=biws,r=abcdeg,PROOF|the nonce does not match",
                "c=biws,r=abc,PROOF|the nonce does not match",
            })
    void theServerNamesWhatIsWrongWithAFinalMessage(String message, String reason) throws ScramFailure {
        ScramServer server = new ScramServer("ann", KEYS.secret(), null, null, "def");
        server.first(PLAIN, bytes("n,,n=,r=abc"));
        ScramFailure failure = Objects.requireNonNull(
                catchThrowableOfType(ScramFailure.class, () -> server.last(bytes(message.replace("PROOF", PROOF)))));
        assertThat(failure.sqlState()).isEqualTo("08P01");
        assertThat(failure.reason()).isEqualTo(reason);
    }

    @Test
    void noStepIsTakenTwiceOrAfterAFailure() throws ScramFailure {
        ScramServer server = ScramServer.verifying("ann", KEYS.secret(), null);
        assertThatThrownBy(() -> server.last(bytes("c=biws"))).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> server.first(PLAIN, bytes("?"))).isInstanceOf(ScramFailure.class);
        assertThatThrownBy(() -> server.first(PLAIN, bytes("n,,n=,r=a"))).isInstanceOf(IllegalStateException.class);
        ScramClient client = client();
        assertThatThrownBy(() -> client.verify(bytes(SIGNATURE))).isInstanceOf(IllegalStateException.class);
        client.first();
        assertThatThrownBy(client::first).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(client::keys).isInstanceOf(IllegalStateException.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "s=AQID,i=2",
                "r=abc,s=AQID,i=2",
                "r=abdef,s=AQID,i=2",
                "r=abcdef",
                "r=abcdef,s=,i=2",
                "r=abcdef,s=AQ,i=2",
                "r=abcdef,s=AQID",
                "r=abcdef,s=AQID,i=",
                "r=abcdef,s=AQID,i=0",
                "r=abcdef,s=AQID,i=+2",
                "r=abcdef,s=AQID,i=-2",
                "r=abcdef,s=AQID,i=2x",
                "r=abcdef,s=AQID,i=99999999999",
                "r=abcdef,s=AQID,i=2,x=1",
                "m=x,r=abcdef,s=AQID,i=2",
            })
    void theClientRefusesAMalformedFirstMessageOfTheServer(String message) throws ScramFailure {
        ScramClient client = client();
        client.first();
        ScramFailure failure =
                Objects.requireNonNull(catchThrowableOfType(ScramFailure.class, () -> client.last(bytes(message))));
        assertThat(failure.sqlState()).isEqualTo("08P01");
    }

    @Test
    void theClientRefusesToComputeForEver() throws ScramFailure {
        ScramClient client = new ScramClient(new byte[] {'x'}, null, List.of(PLAIN), null, "", "abc");
        client.first();
        assertThatThrownBy(() -> client.last(bytes("r=abcdef,s=AQID,i=1000001")))
                .isInstanceOf(ScramFailure.class)
                .hasMessageContaining("iteration count is too high");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "~~|08P01",
                "v=|08P01",
                "v=AAAA|08P01",
                "SIGNATURE|28000",
                "SIGNATURE,x=1|08P01",
                "e=invalid-proof|28000",
                "x=1|08P01",
            })
    void theClientBelievesOnlyTheRightSignature(String message, String sqlState) throws ScramFailure {
        ScramClient client = client();
        client.first();
        client.last(bytes("r=abcdef,s=AQID,i=2"));
        ScramFailure failure = Objects.requireNonNull(catchThrowableOfType(
                ScramFailure.class, () -> client.verify(bytes(message.replace("SIGNATURE", SIGNATURE)))));
        assertThat(failure.sqlState()).isEqualTo(sqlState);
        assertThat(client.proved()).isFalse();
    }

    @Test
    void theClientSaysWhatTheServerReports() throws ScramFailure {
        ScramClient client = client();
        client.first();
        client.last(bytes("r=abcdef,s=AQID,i=2"));
        ScramFailure failure = Objects.requireNonNull(
                catchThrowableOfType(ScramFailure.class, () -> client.verify(bytes("e=other\u001b-error"))));
        assertThat(failure.reason()).isEqualTo("the server reports the SCRAM error \"other?-error\"");
    }

    @Test
    void theClientNeedsAMechanismItSpeaks() {
        assertThatThrownBy(() -> ScramClient.withKeys(KEYS, List.of("OAUTHBEARER"), BINDING))
                .isInstanceOf(ScramFailure.class)
                .hasMessage("none of the server's SASL authentication mechanisms are supported");
        assertThatThrownBy(() -> ScramClient.withKeys(KEYS, List.of(PLUS), null))
                .isInstanceOf(ScramFailure.class);
    }

    private static ScramClient client() throws ScramFailure {
        return new ScramClient(null, KEYS, List.of(PLAIN), null, "", "abc");
    }

    private static ScramFailure firstFailure(String mechanism, String message, @Nullable ChannelBinding binding) {
        ScramServer server = ScramServer.verifying("ann", KEYS.secret(), binding);
        return Objects.requireNonNull(
                catchThrowableOfType(ScramFailure.class, () -> server.first(mechanism, bytes(message))));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.ISO_8859_1);
    }
}
