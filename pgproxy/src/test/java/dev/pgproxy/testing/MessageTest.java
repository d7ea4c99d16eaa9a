package dev.pgproxy.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MessageTest {

    private static Message message(char type, String body) {
        return new Message(type, body.getBytes(UTF_8));
    }

    @Test
    void textIsCompleteAndStable() {
        assertThat(message('Z', "T")).hasToString("ReadyForQuery T");
        assertThat(message('S', "a\0b\0")).hasToString("ParameterStatus a=b");
        assertThat(message('E', "SERROR\0C42601\0Mtwo\nlines\0\0"))
                .hasToString("ErrorResponse S=ERROR C=42601 M=two\\nlines");
        assertThat(new Message('D', HexFormat.of().parseHex("0003" + "ffffffff" + "00000000" + "0000000200ff")))
                .hasToString("DataRow [NULL | '' | '\\x00ff']");
        assertThat(message('A', "\0\0\0\7c\0p\0")).hasToString("NotificationResponse pid=7 c 'p'");
        assertThat(message('W', "\0\0\1\0\1")).hasToString("CopyBothResponse overall=0 columns=[1]");
        assertThat(message('R', "\0\0\0\12SCRAM-SHA-256\0\0")).hasToString("AuthenticationSASL [SCRAM-SHA-256]");
    }

    @Test
    void secretsAreNotShown() {
        assertThat(message('K', "\0\0\0\7secret")).hasToString("BackendKeyData pid=7 key of 6 bytes");
        assertThat(message('R', "\0\0\0\5salt")).hasToString("AuthenticationMD5Password salt of 4 bytes");
    }

    @Test
    void malformedMessagesAreShownAsSuch() {
        assertThat(message('Z', "")).hasToString("malformed 90 ");
        assertThat(message('S', "no end")).asString().startsWith("malformed 83 ");
        assertThat(message('1', "xy")).hasToString("ParseComplete and 2 bytes too many");
        assertThat(message('D', "\0\1\0\0\0\5abc")).asString().startsWith("malformed 68 ");
        assertThat(message('~', "x")).hasToString("unknown 126 'x'");
    }

    @Test
    void typesAndFieldsCanBeAskedFor() {
        assertThat(Message.types(List.of(message('1', ""), message('Z', "I"), Message.CLOSED)))
                .isEqualTo("1Z!");
        assertThat(message('E', "SERROR\0C42601\0\0").field('C')).isEqualTo("42601");
        assertThat(message('E', "SERROR\0\0").field('H')).isEmpty();
        assertThat(message('Z', "I")).isEqualTo(message('Z', "I")).isNotEqualTo(message('Z', "T"));
    }
}
