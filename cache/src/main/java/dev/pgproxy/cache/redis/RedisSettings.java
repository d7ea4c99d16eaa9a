package dev.pgproxy.cache.redis;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Where Redis is and who we are there. Immutable. Neither the password nor what an address has of it is ever printed.
 *
 * @param uri {@code redis://host:port/database}, {@code rediss://…} for TLS, or {@code unix:///path}
 * @param user of an ACL; null for the default user
 * @param password null if there is none
 * @param caFile PEM file with the authorities that TLS trusts; null for those of the Java platform
 * @param namespace put before every key and channel: instances of one namespace belong together. Letters, digits, - and _
 * @param connectTimeout until a connection is there, TLS and login included
 */
public record RedisSettings(
        String uri,
        @Nullable String user,
        @Nullable String password,
        @Nullable Path caFile,
        String namespace,
        Duration connectTimeout) {

    /** Checks the namespace. */
    public RedisSettings {
        if (!namespace.matches("[A-Za-z0-9_-]{1,64}")) {
            throw new IllegalArgumentException("A namespace is 1 to 64 letters, digits, - and _: " + namespace);
        }
    }

    /** Without TLS of its own, user or password, in the namespace {@code pgproxy}. */
    public static RedisSettings of(String uri) {
        return new RedisSettings(uri, null, null, null, "pgproxy", Duration.ofSeconds(2));
    }

    /** The address without what stands before an at sign. */
    String address() {
        return uri.replaceFirst("//[^/]*@", "//");
    }

    @Override
    public String toString() {
        return "RedisSettings[" + address() + ", user=" + user + ", namespace=" + namespace + "]";
    }
}
