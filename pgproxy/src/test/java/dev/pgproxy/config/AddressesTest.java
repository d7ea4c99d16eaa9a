package dev.pgproxy.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.util.NetUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Hosts and ranges of addresses as text. */
class AddressesTest {
    @ParameterizedTest
    @CsvSource({
        "db, db, 5432, db:5432",
        "db:1, db, 1, db:1",
        "10.0.0.1:65535, 10.0.0.1, 65535, 10.0.0.1:65535",
        "::1, ::1, 5432, [::1]:5432",
        "[fe80::1%eth0]:5433, fe80::1%eth0, 5433, [fe80::1%eth0]:5433",
        "[::1], ::1, 5432, [::1]:5432",
        "/run/postgresql, /run/postgresql, 5432, /run/postgresql:5432",
        "/run/pg:5433, /run/pg, 5433, /run/pg:5433"
    })
    void hostsAreReadAndShown(String text, String host, int port, String shown) {
        HostAddress address = HostAddress.parse(text);
        assertThat(address).isEqualTo(new HostAddress(host, port)).hasToString(shown);
        assertThat(HostAddress.parse(shown)).isEqualTo(address);
        assertThat(address.isUnixSocket()).isEqualTo(host.startsWith("/"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", ":5432", "a b", "db:0", "db:65536", "db:x", "[::1", "[::1]x", "u:p@db", "http://db"})
    void whatIsNoHostIsRefused(String text) {
        assertThatThrownBy(() -> HostAddress.parse(text))
                .isInstanceOf(IllegalArgumentException.class)
                .message()
                .isNotBlank();
    }

    @ParameterizedTest
    @CsvSource({
        "10.0.0.0/8, 10.255.255.255, true",
        "10.0.0.0/8, 11.0.0.0, false",
        "10.0.0.0/9, 10.127.0.1, true",
        "10.0.0.0/9, 10.128.0.1, false",
        "192.168.1.1, 192.168.1.1, true",
        "192.168.1.1, 192.168.1.2, false",
        "192.168.1.0/31, 192.168.1.1, true",
        "0.0.0.0/0, 255.1.2.3, true",
        "0.0.0.0/0, ::1, false",
        "fe80::/10, febf::1, true",
        "fe80::/10, fec0::1, false",
        "::1, ::1, true"
    })
    void rangesContainWhatSharesTheirBits(String range, String address, boolean contained) {
        assertThat(Cidr.parse(range).contains(NetUtil.createInetAddressFromIpAddressString(address)))
                .isEqualTo(contained);
    }

    @Test
    void aReplicaHasAnAddressAndPerhapsAShareOfReadsAndAPlaceToAskForItsLoad() {
        assertThat(ReplicaAddress.parse("db2")).isEqualTo(new ReplicaAddress(new HostAddress("db2", 5432)));
        for (String text :
                new String[] {"db2:5432", "db2:5432 weight=3", "[::1]:1 weight=0 node_exporter=https://db2:9100/metrics"
                }) {
            assertThat(ReplicaAddress.parse(text)).hasToString(text);
        }
        for (String text : new String[] {
            "db2 3", "db2 weight=", "db2 weight=-1", "db2 weight=1001", "db2 node_exporter=db2", "db2 size=1", ""
        }) {
            assertThatThrownBy(() -> ReplicaAddress.parse(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void whatIsNoRangeIsRefusedWithoutAskingDns() {
        for (String text : new String[] {"localhost", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "::/129", ""}) {
            assertThatThrownBy(() -> Cidr.parse(text)).isInstanceOf(IllegalArgumentException.class);
        }
    }
}
