package dev.pgproxy.config;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How long something of one user's clients may last; null = as everywhere, zero = no limit. Immutable.
 *
 * @param query one exchange on a server
 * @param transaction one transaction
 * @param idleTransaction a client idle inside a transaction
 * @param clientIdle a client idle outside a transaction
 */
public record UserTimeouts(
        @Nullable Duration query,
        @Nullable Duration transaction,
        @Nullable Duration idleTransaction,
        @Nullable Duration clientIdle) {
    /** As everywhere. */
    static final UserTimeouts NONE = new UserTimeouts(null, null, null, null);

    static UserTimeouts from(SettingValues values) {
        return new UserTimeouts(
                values.find(UserSettings.QUERY_TIMEOUT),
                values.find(UserSettings.TRANSACTION_TIMEOUT),
                values.find(UserSettings.IDLE_TRANSACTION_TIMEOUT),
                values.find(UserSettings.CLIENT_IDLE_TIMEOUT));
    }

    /** The general ones with these in their place. */
    TimeoutSettings over(TimeoutSettings general) {
        return equals(NONE)
                ? general
                : new TimeoutSettings(
                        general.queryWaitTimeout(),
                        general.queryWaitNotify(),
                        query == null ? general.queryTimeout() : query,
                        transaction == null ? general.transactionTimeout() : transaction,
                        idleTransaction == null ? general.idleTransactionTimeout() : idleTransaction,
                        clientIdle == null ? general.clientIdleTimeout() : clientIdle,
                        general.clientLoginTimeout(),
                        general.serverConnectTimeout(),
                        general.serverLoginRetry(),
                        general.serverLifetime(),
                        general.serverIdleTimeout(),
                        general.cancelWaitTimeout(),
                        general.shutdownTimeout(),
                        general.tcpUserTimeout(),
                        general.dnsMaxTtl());
    }
}
