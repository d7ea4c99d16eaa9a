package dev.pgproxy.client;

import io.netty.channel.Channel;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.uring.IoUringDomainSocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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

    /** The names of the account as which the process at the other end runs. Reads a file: not for an event loop. */
    static List<String> names(Channel channel) {
        List<String> names = new ArrayList<>();
        try {
            int uid;
            if (channel instanceof EpollDomainSocketChannel epoll) {
                uid = epoll.peerCredentials().uid();
            } else if (channel instanceof IoUringDomainSocketChannel uring) {
                uid = uring.peerCredentials().uid();
            } else {
                return names;
            }
            for (String line : Files.readAllLines(ACCOUNTS, StandardCharsets.UTF_8)) {
                String[] fields = line.split(":", -1);
                if (fields.length > 2 && fields[2].equals(Integer.toString(uid))) {
                    names.add(fields[0]);
                }
            }
        } catch (IOException e) {
            LOG.warn("peer credentials cannot be read: {}", e.getMessage());
        }
        return names;
    }
}
