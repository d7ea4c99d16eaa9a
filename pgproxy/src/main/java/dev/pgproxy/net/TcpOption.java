package dev.pgproxy.net;

import dev.pgproxy.config.ListenSettings;
import dev.pgproxy.config.TransportChoice;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOption;
import io.netty.channel.epoll.EpollChannelOption;
import io.netty.channel.socket.nio.NioChannelOption;
import io.netty.channel.uring.IoUringChannelOption;
import java.net.SocketOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import jdk.net.ExtendedSocketOptions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One option of a TCP connection, as the transport names it. Immutable. Source: tcp(7).
 *
 * @param <T> type of the value
 */
record TcpOption<T>(ChannelOption<T> option, T value) {
    private static final Logger LOG = LoggerFactory.getLogger(TcpOption.class);

    void set(Channel channel) {
        channel.config().setOption(option, value);
    }

    /** All that are to be set; those that are 0 stay as the system has them. */
    static List<TcpOption<?>> of(TransportChoice kind, ListenSettings tcp, Duration userTimeout) {
        List<TcpOption<?>> options = new ArrayList<>();
        options.add(new TcpOption<>(ChannelOption.TCP_NODELAY, true));
        options.add(new TcpOption<>(ChannelOption.SO_KEEPALIVE, tcp.tcpKeepalive()));
        boolean uring = kind == TransportChoice.IO_URING;
        boolean epoll = kind == TransportChoice.EPOLL;
        add(
                options,
                seconds(tcp.tcpKeepidle()),
                uring
                        ? IoUringChannelOption.TCP_KEEPIDLE
                        : epoll ? EpollChannelOption.TCP_KEEPIDLE : nio(ExtendedSocketOptions.TCP_KEEPIDLE));
        add(
                options,
                seconds(tcp.tcpKeepintvl()),
                uring
                        ? IoUringChannelOption.TCP_KEEPINTVL
                        : epoll ? EpollChannelOption.TCP_KEEPINTVL : nio(ExtendedSocketOptions.TCP_KEEPINTERVAL));
        add(
                options,
                tcp.tcpKeepcnt(),
                uring
                        ? IoUringChannelOption.TCP_KEEPCNT
                        : epoll ? EpollChannelOption.TCP_KEEPCNT : nio(ExtendedSocketOptions.TCP_KEEPCOUNT));
        if (uring || epoll) {
            add(
                    options,
                    (int) Math.min(userTimeout.toMillis(), Integer.MAX_VALUE),
                    uring ? IoUringChannelOption.TCP_USER_TIMEOUT : EpollChannelOption.TCP_USER_TIMEOUT);
        } else if (!userTimeout.isZero()) {
            LOG.warn("tcp_user_timeout has no effect: it needs transport = epoll or io_uring, this is nio");
        }
        return List.copyOf(options);
    }

    private static ChannelOption<Integer> nio(SocketOption<Integer> option) {
        return NioChannelOption.of(option);
    }

    private static void add(List<TcpOption<?>> options, int value, ChannelOption<Integer> option) {
        if (value > 0) {
            options.add(new TcpOption<>(option, value));
        }
    }

    /** The system counts in seconds: less than one is one. */
    private static int seconds(Duration time) {
        return time.isZero() ? 0 : (int) Math.max(1, Math.min(time.toSeconds(), 32767));
    }
}
