package dev.pgproxy.health.failover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConnInfoTest {
    @Test
    void valuesAreReadAsLibpqReadsThem() {
        ConnInfo info = ConnInfo.parse(
                "  host = db1 port=5433 password='it\\'s' user=a\\ b application_name='x \\' \\\\ y' dbname=");
        assertThat(info.get("host")).isEqualTo("db1");
        assertThat(info.get("port")).isEqualTo("5433");
        assertThat(info.get("user")).isEqualTo("a b");
        assertThat(info.get("application_name")).isEqualTo("x ' \\ y");
        assertThat(info.get("dbname")).isEmpty();
        assertThat(info.get("sslmode")).isNull();
    }

    @Test
    void anotherServerAndNothingElse() {
        ConnInfo info = ConnInfo.parse("user=r hostaddr=10.0.0.1 host=db1 password='a b\\'c'")
                .to("10.0.0.2", 5433);
        assertThat(info.text()).isEqualTo("user='r' host='10.0.0.2' password='a b\\'c' port='5433'");
        assertThat(ConnInfo.parse(info.text()).text()).isEqualTo(info.text());
        assertThat(info.leadsTo("10.0.0.2", 5433)).isTrue();
        assertThat(info.leadsTo("10.0.0.2", 5432)).isFalse();
        assertThat(info.toString()).isEqualTo("host=10.0.0.2 port=5433");
    }

    @Test
    void theAddressCountsMoreThanTheName() {
        ConnInfo info = ConnInfo.parse("host=db1 hostaddr=10.0.0.1");
        assertThat(info.leadsTo("10.0.0.1", 5432)).isTrue();
        assertThat(info.leadsTo("db1", 5432)).isFalse();
        assertThat(ConnInfo.parse("host=DB1").leadsTo("db1", 5432)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"postgresql://db1:5433/postgres", "host", "=db1", "host='db1", "host=a b"})
    void whatIsNoListOfWordsIsRefused(String text) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> ConnInfo.parse(text))
                .satisfies(e -> assertThat(e.getMessage()).doesNotContain("db1"));
    }
}
