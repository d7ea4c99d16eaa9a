package dev.pgproxy;

import static dev.pgproxy.testing.TestProxy.user;
import static org.assertj.core.api.Assertions.assertThat;

import dev.pgproxy.testing.Message;
import dev.pgproxy.testing.RawClient;
import dev.pgproxy.testing.TestCluster;
import dev.pgproxy.testing.TestProxy;
import java.io.IOException;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The PROXY protocol, version 2: load balancers tell where a client is; nobody else may. */
final class ProxyProtocolIT {
    private static final String BALANCED =
            user("postgres", TestCluster.PASSWORD) + "proxy_protocol_from = [\"127.0.0.0/8\"]\n";

    @TempDir
    private Path directory;

    /** PROXY, or LOCAL where the address is empty. */
    private static byte[] header(String address, int port) throws IOException {
        byte[] from =
                address.isEmpty() ? new byte[0] : InetAddress.getByName(address).getAddress();
        int length = from.length == 0 ? 0 : 2 * from.length + 4;
        ByteBuffer out = ByteBuffer.allocate(16 + length);
        out.put("\r\n\r\n\0\r\nQUIT\n".getBytes(StandardCharsets.US_ASCII));
        out.put((byte) (from.length == 0 ? 0x20 : 0x21));
        out.put((byte) (from.length == 0 ? 0 : from.length == 4 ? 0x11 : 0x21));
        out.putShort((short) length);
        if (from.length > 0) {
            out.put(from).put(from).putShort((short) port).putShort((short) 5432);
        }
        return out.array();
    }

    private static RawClient from(TestProxy proxy, String address) throws IOException {
        return proxy.connect().send("PROXY header", header(address, 4711));
    }

    private static Message login(RawClient client) {
        return client.login("postgres", TestCluster.PASSWORD, "postgres").getLast();
    }

    @Test
    void theAddressOfTheHeaderIsTheClients() throws IOException {
        try (TestProxy proxy = TestProxy.start(TestCluster.primary(), BALANCED)) {
            for (String address : new String[] {"192.0.2.7", "2001:db8:0:0:0:0:0:7"}) {
                try (RawClient client = from(proxy, address)) {
                    assertThat(login(client).isReady()).isTrue();
                    assertThat(proxy.proxy().services().clients().all())
                            .singleElement()
                            .hasToString("C-"
                                    + proxy.proxy()
                                            .services()
                                            .clients()
                                            .all()
                                            .iterator()
                                            .next()
                                            .id() + " postgres/postgres@" + address + ":4711");
                }
                Awaitility.await()
                        .until(() -> proxy.proxy().services().clients().all().isEmpty());
            }
            try (RawClient local = from(proxy, "")) {
                assertThat(login(local).isReady()).isTrue();
            }
        }
    }

    @Test
    void aHeaderInManyPiecesIsRead() throws IOException {
        try (TestProxy proxy = TestProxy.start(TestCluster.primary(), BALANCED);
                RawClient client = proxy.connect()) {
            for (byte b : header("192.0.2.7", 4711)) {
                client.raw(b);
            }
            assertThat(login(client).isReady()).isTrue();
        }
    }

    @Test
    void balancersMustSendItAndOthersMustNot() throws IOException {
        try (TestProxy proxy = TestProxy.start(TestCluster.primary(), BALANCED);
                RawClient client = proxy.connect()) {
            assertThat(login(client).isClosed()).isTrue();
        }
        String others = user("postgres", TestCluster.PASSWORD) + "proxy_protocol_from = [\"10.0.0.0/8\"]\n";
        try (TestProxy proxy = TestProxy.start(TestCluster.primary(), others);
                RawClient client = from(proxy, "192.0.2.7")) {
            assertThat(client.readMessage().type()).isIn('E', '\0');
            assertThat(client.readMessage().isClosed()).isTrue();
        }
    }

    @Test
    void rulesAndLimitsLookAtTheRealAddress() throws IOException {
        Path rules = Files.writeString(directory.resolve("hba.conf"), "host all all 192.0.2.0/24 scram-sha-256\n");
        String settings =
                BALANCED + "auth_type = hba\nauth_hba_file = \"" + rules + "\"\nmax_connections_per_address = 1\n";
        try (TestProxy proxy = TestProxy.start(TestCluster.primary(), settings);
                RawClient first = from(proxy, "192.0.2.1");
                RawClient second = from(proxy, "192.0.2.2")) {
            assertThat(login(first).isReady()).isTrue();
            assertThat(login(second).isReady()).isTrue();
            try (RawClient third = from(proxy, "192.0.2.1")) {
                Message refused = third.readMessage();
                assertThat(refused.field('C')).isEqualTo("53300");
                assertThat(refused.field('M')).isEqualTo("too many connections from 192.0.2.1");
                assertThat(third.readMessage().isClosed()).isTrue();
            }
            try (RawClient stranger = from(proxy, "198.51.100.1")) {
                assertThat(login(stranger).field('M')).contains("no pg_hba.conf entry for host \"198.51.100.1\"");
            }
            first.terminate().readUntilClosed();
            Awaitility.await().until(() -> {
                try (RawClient again = from(proxy, "192.0.2.1")) {
                    return login(again).isReady();
                }
            });
        }
    }
}
