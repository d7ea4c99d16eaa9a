package dev.pgproxy.http;

import dev.pgproxy.config.HttpSettings;
import dev.pgproxy.config.Secret;
import io.netty.util.NetUtil;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Who may ask. Immutable. Secrets are compared in constant time. Source: RFC 9110, 11; RFC 7617 (Basic); RFC 6750 (Bearer).
 */
final class Access {
    private final byte @Nullable [] basic;
    private final byte @Nullable [] bearer;

    Access(HttpSettings settings) {
        String user = settings.user();
        Secret password = settings.password();
        Secret token = settings.token();
        this.basic = user == null || password == null
                ? null
                : Base64.getEncoder().encode(bytes(user + ":" + password.reveal()));
        this.bearer = token == null ? null : bytes(token.reveal());
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Whether nobody has to prove anything. */
    boolean isOpen() {
        return basic == null && bearer == null;
    }

    /** @param authorization the header of that name */
    boolean allows(@Nullable String authorization) {
        if (isOpen()) {
            return true;
        }
        String given = authorization == null ? "" : authorization.strip();
        int blank = given.indexOf(' ');
        String scheme = given.substring(0, Math.max(blank, 0)).toLowerCase(Locale.ROOT);
        byte[] proof = bytes(given.substring(blank + 1).strip());
        return switch (scheme) {
            case "basic" -> basic != null && MessageDigest.isEqual(proof, basic);
            case "bearer" -> bearer != null && MessageDigest.isEqual(proof, bearer);
            default -> false;
        };
    }

    /** What to prove it with, for WWW-Authenticate. */
    List<String> challenges() {
        List<String> challenges = new ArrayList<>();
        if (basic != null) {
            challenges.add("Basic realm=\"pgproxy\", charset=\"UTF-8\"");
        }
        if (bearer != null) {
            challenges.add("Bearer realm=\"pgproxy\"");
        }
        return challenges;
    }

    /**
     * Whether a page of somebody else in a browser on this machine may have asked: where nobody has to prove anything, a name
     * that its owner has pointed to this machine would make our answers readable to it.
     *
     * @param host the header of that name
     */
    boolean isForeign(@Nullable String host) {
        if (!isOpen() || host == null) {
            return false;
        }
        String name = host.replaceFirst(":\\d*$", "").replaceAll("[\\[\\]]", "");
        return !name.equalsIgnoreCase("localhost")
                && !NetUtil.isValidIpV4Address(name)
                && !NetUtil.isValidIpV6Address(name);
    }
}
