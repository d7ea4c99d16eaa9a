package dev.pgproxy.client;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Who is at the other end of a unix socket, as the kernel says. The list of accounts is a file, so it is read on a thread
 * of the common pool, never on an event loop. Stateless. Source: unix(7), SO_PEERCRED.
 */
final class PeerCredentials {
    private static final Logger LOG = LoggerFactory.getLogger(PeerCredentials.class);
    private static final Path ACCOUNTS = Path.of("/etc/passwd");

    private PeerCredentials() {}

    /** Whether the process at the other end runs as the account of this name. */
    static CompletionStage<Boolean> isUser(Channel channel, String user) {
        return CompletableFuture.supplyAsync(() -> look(channel, user));
    }

    private static boolean look(Channel channel, String user) {
        if (!(channel instanceof EpollDomainSocketChannel socket)) {
            return false;
        }
        try {
            int uid = socket.peerCredentials().uid();
            for (String line : Files.readAllLines(ACCOUNTS, StandardCharsets.UTF_8)) {
                String[] fields = line.split(":", -1);
                if (fields.length > 2 && fields[0].equals(user) && fields[2].equals(Integer.toString(uid))) {
                    return true;
                }
            }
        } catch (IOException e) {
            LOG.warn("peer credentials cannot be read: {}", e.getMessage());
        }
        return false;
    }
}
